//! Files written and read on a thread of their own.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{Builder, JoinHandle};

use super::file::{self, Durability, Label, io_error};
use crate::error::SnapshotError;

/// What the thread does, in the order in which it is asked to.
#[derive(Debug)]
pub(super) enum Job {
    /// Seals and writes a file.
    Write { path: PathBuf, bytes: Vec<u8>, durability: Durability },
    /// Reads a file of the size of `bytes` and checks it.
    Read { path: PathBuf, bytes: Vec<u8>, label: Label },
    /// Removes a file that may be there.
    Remove { path: PathBuf },
}

/// What came of a job.
#[derive(Debug)]
pub(super) struct Done {
    pub bytes: Vec<u8>,
    pub result: Result<(), SnapshotError>,
}

/// The thread, and what it has been asked to do: each job with a note `N` of what it is for.
#[derive(Debug)]
pub(super) struct Transfer<N> {
    directory: PathBuf,
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
    pending: VecDeque<N>,
}

impl<N> Transfer<N> {
    pub fn start(directory: &Path) -> Result<Self, SnapshotError> {
        let (jobs, asked) = channel();
        let (finished, done) = channel();
        let work = move || {
            for job in asked {
                if finished.send(run(job)).is_err() {
                    break;
                }
            }
        };
        let thread = Builder::new().name("snapshots".into()).spawn(work);
        let thread = Some(thread.map_err(|source| io_error(directory, source))?);
        let (directory, pending) = (directory.to_path_buf(), VecDeque::new());
        Ok(Transfer { directory, jobs: Some(jobs), done, thread, pending })
    }

    pub fn ask(&mut self, job: Job, note: N) -> Result<(), SnapshotError> {
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job));
        match sent {
            Some(Ok(())) => {
                self.pending.push_back(note);
                Ok(())
            }
            _ => Err(self.stopped()),
        }
    }

    /// What was asked for and has not been taken, the oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &N> {
        self.pending.iter()
    }

    /// The oldest job's outcome where it is there.
    pub fn try_take(&mut self) -> Result<Option<(N, Done)>, SnapshotError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        match self.done.try_recv() {
            Ok(done) => Ok(self.pending.pop_front().map(|note| (note, done))),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(self.lost()),
        }
    }

    /// The oldest job's outcome, waited for, where a job is pending.
    pub fn take(&mut self) -> Result<Option<(N, Done)>, SnapshotError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        match self.done.recv() {
            Ok(done) => Ok(self.pending.pop_front().map(|note| (note, done))),
            Err(_) => Err(self.lost()),
        }
    }

    fn lost(&mut self) -> SnapshotError {
        self.pending.clear();
        self.stopped()
    }

    fn stopped(&self) -> SnapshotError {
        io_error(&self.directory, io::Error::other("the thread that writes snapshots has stopped"))
    }
}

/// Ends the thread once it has done what it was asked to.
impl<N> Drop for Transfer<N> {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It cannot be asked anything any more, whether it ended well or not.
            let _ = thread.join();
        }
    }
}

fn run(job: Job) -> Done {
    match job {
        Job::Write { path, mut bytes, durability } => {
            file::seal(&mut bytes);
            let written = file::write(&path, &bytes, durability);
            Done { bytes, result: written.map_err(|source| io_error(&path, source)) }
        }
        Job::Read { path, mut bytes, label } => {
            let read = file::read(&path, &mut bytes);
            let result = read.and_then(|()| file::check(&path, &bytes, &label));
            Done { bytes, result }
        }
        Job::Remove { path } => {
            let result = match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    Err(io_error(&path, source))
                }
                _ => Ok(()),
            };
            Done { bytes: Vec::new(), result }
        }
    }
}
