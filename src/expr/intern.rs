//! The numbers of a graph's nodes, found by what the nodes compute.
//!
//! The standard map would hold every node a second time.

use super::node::Node;

/// A place in the table: the index of a node in a list held elsewhere, and the hash of the node,
/// which is compared first, because reading the list at random is what takes the time.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    index: u32,
}

const EMPTY: Entry = Entry { hash: 0, index: u32::MAX };

/// A table with open addressing, at most three quarters full.
#[derive(Clone, Debug, Default)]
pub(super) struct Interned {
    table: Vec<Entry>,
    len: usize,
}

impl Interned {
    /// The index of `node` in `nodes`, to which it is to be added as the next where it is new.
    pub fn find_or_put(&mut self, node: &Node, nodes: &[Node]) -> Option<u32> {
        if 4 * (self.len + 1) > 3 * self.table.len() {
            self.grow();
        }
        let hash = hash(node);
        let mut place = self.first_place(hash);
        loop {
            let entry = self.table[place];
            if entry.index == EMPTY.index {
                self.table[place] = Entry { hash, index: nodes.len() as u32 };
                self.len += 1;
                return None;
            }
            if entry.hash == hash && nodes[entry.index as usize] == *node {
                return Some(entry.index);
            }
            place = (place + 1) & (self.table.len() - 1);
        }
    }

    fn grow(&mut self) {
        let size = (2 * self.table.len()).max(16);
        let old = std::mem::replace(&mut self.table, vec![EMPTY; size]);
        for entry in old.into_iter().filter(|entry| entry.index != EMPTY.index) {
            let mut place = self.first_place(entry.hash);
            while self.table[place].index != EMPTY.index {
                place = (place + 1) & (size - 1);
            }
            self.table[place] = entry;
        }
    }

    fn first_place(&self, hash: u32) -> usize {
        hash as usize & (self.table.len() - 1)
    }
}

/// The halves of a product of 128 bits, folded: each bit of the node reaches each of the hash.
fn hash(node: &Node) -> u32 {
    let pair = |a: u32, b: u32| u64::from(a) << 32 | u64::from(b);
    let (kind, content) = match *node {
        Node::Constant(bits) => (pair(0, 0), bits),
        Node::Variable(v) => (pair(1, 0), v.code()),
        Node::Unary(op, x) => (pair(2, op as u32), pair(0, x.0)),
        Node::Binary(op, a, b) => (pair(3, op as u32), pair(a.0, b.0)),
        Node::Select(c, a, b) => (pair(4, c.0), pair(a.0, b.0)),
    };
    let (a, b) = (kind ^ 0x9e37_79b9_7f4a_7c15, content ^ 0xd1b5_4a32_d192_ed03);
    let product = u128::from(a.wrapping_mul(0xff51_afd7_ed55_8ccd)) * u128::from(b);
    let folded = (product >> 64) as u64 ^ product as u64;
    (folded >> 32) as u32 ^ folded as u32
}
