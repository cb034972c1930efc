//! Memory, by an allocator that counts for the whole process and by the system's own count: a
//! binary of its own, because other tests would be counted too.

mod bytes;
mod counting;
mod loading;
mod peak;
