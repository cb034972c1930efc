//! What the slots hold, by their numbers.

use std::collections::HashMap;

use crate::numbers::bytes::grown;
use crate::schedule::Keep;

/// What a slot holds, or held last while it still has the memory for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// n of the state y_n, or of the step on the tape.
    pub step: usize,
    /// The state alone, or with its stages.
    pub keep: Keep,
    /// Whether it is still there: a step that was reversed needs nothing any more, and a tape that
    /// was handed to another worker has left its slot.
    pub is_held: bool,
}

const PAGE: usize = 16;
/// Pages beyond this number are looked up by hashing.
const MOST_PAGES: usize = 1 << 16;

type Page = [Option<Content>; PAGE];

/// Contents by slot, in pages: schedules number states from 0 and tapes from far behind them, and
/// what lies between takes a pointer for 16 slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    pages: Vec<Option<Box<Page>>>,
    far: HashMap<usize, Box<Page>>,
}

impl Slots {
    #[inline]
    pub fn get(&self, slot: usize) -> Option<Content> {
        let number = slot / PAGE;
        let page = match number < MOST_PAGES {
            true => self.pages.get(number)?.as_ref()?,
            false => self.far.get(&number)?,
        };
        page[slot % PAGE]
    }

    #[inline]
    pub fn set(&mut self, slot: usize, content: Option<Content>) {
        let (number, empty) = (slot / PAGE, || Box::new([None; PAGE]));
        let page = if number < MOST_PAGES {
            if self.pages.len() <= number {
                self.pages.resize(number + 1, None);
            }
            self.pages[number].get_or_insert_with(empty)
        } else {
            self.far.entry(number).or_insert_with(empty)
        };
        page[slot % PAGE] = content;
    }

    /// Whether none was ever used.
    pub fn are_unused(&self) -> bool {
        self.pages.is_empty() && self.far.is_empty()
    }

    pub fn bytes(&self) -> usize {
        let (near, far) = (self.pages.iter().flatten().count(), self.far.capacity());
        let pointers = grown::<Option<Box<Page>>>(self.pages.capacity());
        pointers + (near + self.far.len()) * size_of::<Page>() + far * size_of::<(usize, usize)>()
    }
}
