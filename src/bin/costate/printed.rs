//! What the command brings along for shells, readers of manuals, and editors of models.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::Cli;
use crate::failure::Failure;
use crate::output::print_as_is;

/// Completions of the command's words, for a shell
#[derive(Args)]
#[command(after_help = "Example: costate completions bash > \
                        ~/.local/share/bash-completion/completions/costate")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// A manual page of the command, or of one of its commands
#[derive(Args)]
#[command(after_help = "Example: costate man gradient | man -l -")]
pub struct Manual {
    /// One of its commands, such as gradient
    command: Option<String>,
}

/// The JSON Schema of model files, by which editors check and complete them
#[derive(Args)]
#[command(after_help = "Example: costate schema > model.schema.json")]
pub struct Schema {}

impl Completions {
    pub fn run(&self) -> Result<String, Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "costate", &mut text);
        print_as_is(&text)
    }
}

impl Manual {
    pub fn run(&self) -> Result<String, Failure> {
        let mut all = Cli::command();
        all.build();
        let command = match &self.command {
            None => all,
            Some(name) => match all.find_subcommand(name) {
                Some(command) => command.clone(),
                None => {
                    let names: Vec<_> = all
                        .get_subcommands()
                        .map(clap::Command::get_name)
                        .filter(|name| *name != "help")
                        .collect();
                    let names = names.join(", ");
                    return Err(Failure::new(format!(
                        "there is no command {name}: take one of {names}"
                    )));
                }
            },
        };
        let mut text = Vec::new();
        // A vector takes whatever is written to it.
        let written = Man::new(command).render(&mut text);
        written.map_err(|error| Failure::new(error.to_string()))?;
        print_as_is(&text)
    }
}

impl Schema {
    pub fn run(&self) -> Result<String, Failure> {
        print_as_is(include_bytes!("../../../docs/model.schema.json"))
    }
}
