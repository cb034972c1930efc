//! Snapshots in two tiers: what comes back is what was kept, or an error that says what is wrong,
//! told once and never lost; what is under way is bounded; no file outlives its store unasked.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use costate::adjoint::gradient;
use costate::error::SnapshotError;
use costate::method::stepper::ExplicitRk;
use costate::method::tableau::RK4;
use costate::model::Model;
use costate::numbers::scalar::{Scalar, same_bits};
use costate::ode::grid::TimeGrid;
use costate::recurrence::Discretization;
use costate::schedule::{Multistage, Periodic, Schedule, SlotCosts, StoreAll, TierCosts, Transfer};
use costate::snapshot::{
    DiskStore, MemoryStore, NotedStore, SnapshotStore, TieredStore, measure_disk,
};

use crate::common::scratch::Scratch;

const Y: [f64; 5] = [1.0, -2.5, f64::MIN_POSITIVE, 1e300, -0.0];
const SIZE: usize = 40 + 5 * 8 + 4;

fn tiered(fast: usize, scratch: &Scratch) -> TieredStore<f64> {
    TieredStore::new(fast, &scratch.0).unwrap()
}

/// A store whose slot 2, on disk, holds y_7.
fn kept(scratch: &Scratch) -> TieredStore<f64> {
    let mut store = tiered(1, scratch);
    store.store(2, 7, &Y).unwrap();
    store.flush().unwrap();
    store
}

fn restored(store: &mut TieredStore<f64>) -> Result<[f64; 5], String> {
    let mut y = [0.0; 5];
    let result = store.restore(2, 7, &mut y).map_err(|error| error.to_string());
    assert!(result.is_ok() || y == [0.0; 5]);
    result.map(|()| y)
}

fn io(path: &Path, system: &str) -> String {
    format!("{}: {system}; give a directory that can be written and has room", path.display())
}

fn damaged(path: &Path, what: &str) -> String {
    format!(
        "{}: {what}: the file was damaged or is not this run's; remove it and resume, or run the gradient again",
        path.display()
    )
}

const CHECKSUM: &str = "the checksum does not match";
const ANOTHER: &str = "the snapshot is another run's or another step's";

/// Any sequence of calls gives what a map would.
fn as_a_map<S: Scalar>(store: &mut dyn SnapshotStore<S>, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut map: HashMap<usize, (usize, Vec<S>)> = HashMap::new();
    for _ in 0..1000 {
        let (slot, length) = (random.usize(..9), [0, 3, 3, 3, 40, 700][random.usize(..6)]);
        match random.u8(..10) {
            0..4 => {
                let step = random.usize(..100);
                let y: Vec<S> = (0..length).map(|_| S::of(random.f64() - 0.5)).collect();
                store.store(slot, step, &y).unwrap();
                map.insert(slot, (step, y));
            }
            4 => {
                store.free(slot).unwrap();
                map.remove(&slot);
            }
            5..7 => {
                // Announced or not, wrongly or rightly.
                let step = random.usize(..100);
                store.expect(slot, map.get(&slot).map_or(step, |kept| kept.0));
                store.expect(random.usize(..9), step);
            }
            7 => store.note().unwrap(),
            _ => check_slot(store, slot, &map, length),
        }
        assert_eq!(store.usage().slots, map.len());
    }
}

fn check_slot<S: Scalar>(
    store: &mut dyn SnapshotStore<S>,
    slot: usize,
    map: &HashMap<usize, (usize, Vec<S>)>,
    length: usize,
) {
    let Some((step, expected)) = map.get(&slot) else {
        let error = store.restore(slot, 0, &mut []).unwrap_err().to_string();
        assert_eq!(error, format!("slot {slot} was asked for step 0 and holds nothing"));
        return;
    };
    let mut y = vec![S::of(7.0); expected.len()];
    let error = store.restore(slot, step + 1, &mut y).unwrap_err().to_string();
    let asked = step + 1;
    assert_eq!(error, format!("slot {slot} was asked for step {asked} and holds step {step}"));
    assert!(y.iter().all(|&x| x == S::of(7.0)));
    store.restore(slot, *step, &mut y).unwrap();
    assert!(same_bits(&y, expected));
    if length != expected.len() {
        let error = store.restore(slot, *step, &mut vec![S::of(0.0); length]).unwrap_err();
        let held = expected.len();
        let text = format!("slot {slot} was asked for {length} numbers and holds {held}");
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn every_store_is_a_map_from_slots_to_states() {
    let scratch = Scratch::new("map");
    let open = |fast| TieredStore::new(fast, &scratch.0).unwrap();
    let noted = |lost, room| NotedStore::open(&scratch.0, 9, 700, lost, room).unwrap();
    let stores: [Box<dyn SnapshotStore<f64>>; 9] = [
        Box::new(MemoryStore::new()),
        Box::new(DiskStore::new(&scratch.0).unwrap()),
        Box::new(open(0)),
        Box::new(open(4)),
        Box::new(open(100)),
        Box::new(TieredStore::new(1, &scratch.0).unwrap().durable()),
        Box::new(noted(0, 0)),
        Box::new(noted(0, 5 * 700 * 8)),
        Box::new(noted(2, 1 << 20)),
    ];
    for (seed, mut store) in (0..).zip(stores) {
        as_a_map(&mut *store, seed);
        // The file of a store that notes stays; what is in it is checked elsewhere.
        let _ = fs::remove_file(noted(0, 0).path());
    }
    as_a_map::<f32>(&mut TieredStore::new(3, &scratch.0).unwrap(), 10);
    as_a_map::<f32>(&mut MemoryStore::new(), 11);
    assert!(scratch.files().is_empty());
}

#[test]
fn any_byte_flipped_and_any_length_is_seen() {
    let scratch = Scratch::new("flip");
    let mut store = kept(&scratch);
    let path = store.path(2);
    let good = fs::read(&path).unwrap();
    assert_eq!(good.len(), SIZE);
    for (place, mask) in (0..SIZE).flat_map(|place| [1, 0x80, 0xff].map(|mask| (place, mask))) {
        let mut bad = good.clone();
        bad[place] ^= mask;
        fs::write(&path, &bad).unwrap();
        if place % 2 == 0 {
            store.expect(2, 7);
        }
        assert_eq!(restored(&mut store).unwrap_err(), damaged(&path, CHECKSUM), "byte {place}");
    }
    for size in (0..SIZE).chain([SIZE + 1, 100_000]) {
        let mut bad = good.clone();
        bad.resize(size, 0);
        fs::write(&path, &bad).unwrap();
        let text = format!(
            "{}: the snapshot has {size} bytes instead of {SIZE}: it was torn or replaced; run \
             the gradient again",
            path.display()
        );
        assert_eq!(restored(&mut store).unwrap_err(), text);
    }
    fs::write(&path, &good).unwrap();
    assert!(same_bits(&restored(&mut store).unwrap(), &Y));
}

#[test]
fn files_of_another_store_step_or_kind() {
    let scratch = Scratch::new("other");
    let (mut store, other) = (kept(&scratch), kept(&scratch));
    let path = store.path(2);
    let good = fs::read(&path).unwrap();
    store.store(3, 8, &Y).unwrap();
    store.flush().unwrap();
    let mut halves = TieredStore::<f32>::new(0, &scratch.0).unwrap();
    halves.store(4, 7, &[1.0; 10]).unwrap();
    halves.flush().unwrap();
    for foreign in [other.path(2), store.path(3), halves.path(4)] {
        fs::copy(foreign, &path).unwrap();
        assert_eq!(restored(&mut store).unwrap_err(), damaged(&path, ANOTHER));
    }
    fs::write(&path, good).unwrap();
    assert!(same_bits(&restored(&mut store).unwrap(), &Y));
    drop((store, other, halves));
    assert!(scratch.files().is_empty());
}

/// A file of records 1 to 3 with the states of steps 11 to 13, the second one shorter.
fn noted(scratch: &Scratch) -> (PathBuf, Vec<u8>) {
    let mut store = NotedStore::open(&scratch.0, 4, 5, 1, 1 << 10).unwrap();
    for (slot, len) in [(1, 5), (3, 5), (2, 3)] {
        store.store(slot, slot + 10, &Y[..len]).unwrap();
    }
    assert_eq!((store.usage().slots, store.usage().disk_bytes), (3, 0));
    assert!(!store.path().exists());
    store.note().unwrap();
    assert_eq!((store.usage().slots, store.usage().disk_bytes), (3, 3 * SIZE));
    let bytes = fs::read(store.path()).unwrap();
    assert_eq!(bytes.len(), 32 + 3 * SIZE);
    (store.path().to_owned(), bytes)
}

/// Steps and slots of the states in a file of records, in memory as many as have room.
fn adopted(scratch: &Scratch, room: usize) -> Result<Vec<(usize, usize)>, String> {
    let text = |error: SnapshotError| error.to_string();
    let mut store = NotedStore::open(&scratch.0, 4, 5, 1, room).map_err(text)?;
    let kept = store.adopt().map_err(text)?;
    for kept in &kept {
        let len = if kept.step == 12 { 3 } else { 5 };
        let mut y = vec![0.0; len];
        store.restore(kept.slot, kept.step, &mut y).unwrap();
        assert!(same_bits(&y, &Y[..len]));
    }
    Ok(kept.iter().map(|kept| (kept.step, kept.slot)).collect())
}

#[test]
fn any_byte_of_a_file_of_records_flipped_is_seen() {
    let scratch = Scratch::new("records");
    let (path, good) = noted(&scratch);
    let all = [(11, 1), (12, 2), (13, 3)];
    for room in [0, 60, 1 << 10] {
        assert_eq!(adopted(&scratch, room).unwrap(), all);
    }
    for place in 0..good.len() {
        for mask in [1, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[place] ^= mask;
            fs::write(&path, &bad).unwrap();
            let error = adopted(&scratch, 60).unwrap_err();
            assert!(error.starts_with(&format!("{}: ", path.display())), "{place}: {error}");
            assert!(error.contains("damaged"), "{place}: {error}");
        }
    }
    // Without its last records it holds the others; cut elsewhere it is damaged.
    for len in 0..good.len() {
        fs::write(&path, &good[..len]).unwrap();
        match (len.checked_sub(32).map(|len| (len / SIZE, len % SIZE)), adopted(&scratch, 60)) {
            (Some((records, 0)), found) => assert_eq!(found.unwrap(), all[..records]),
            (None, found) if len == 0 => assert_eq!(found.unwrap(), []),
            (_, found) => assert!(found.unwrap_err().contains("damaged"), "{len}"),
        }
    }
    // Another run's, and numbers of another size.
    fs::write(&path, &good).unwrap();
    let renamed = path.with_file_name("slots-0000000000000005.costate");
    fs::copy(&path, renamed).unwrap();
    assert!(NotedStore::<f64>::open(&scratch.0, 5, 5, 1, 0).is_err());
    let mut halves = NotedStore::<f32>::open(&scratch.0, 4, 10, 1, 0).unwrap();
    assert!(halves.adopt().unwrap_err().to_string().contains("another run's"));
}

/// Where a process ends in a write, whatever it left there, the other states are there.
#[test]
fn a_torn_record_is_lost_and_the_others_are_not() {
    let scratch = Scratch::new("torn");
    let (path, good) = noted(&scratch);
    let mut torn = good.clone();
    torn[..8].copy_from_slice(b"in write");
    for record in 0..3 {
        let rest: Vec<_> =
            [(11, 1), (12, 2), (13, 3)].into_iter().filter(|kept| kept.1 != record + 1).collect();
        for written in 1..SIZE {
            let mut bytes = torn.clone();
            let from = 32 + record * SIZE;
            // Its front is new, and it was of another step before.
            bytes[from..from + written].iter_mut().for_each(|byte| *byte = !*byte);
            fs::write(&path, &bytes).unwrap();
            assert_eq!(adopted(&scratch, 60 * (written % 2)).unwrap(), rest, "{record} {written}");
        }
    }
    for len in 32..good.len() {
        fs::write(&path, &torn[..len]).unwrap();
        assert_eq!(adopted(&scratch, 0).unwrap().len(), (len - 32) / SIZE);
    }
    // Written again, it is whole again, also to who comes later.
    fs::write(&path, &torn[..32 + 2 * SIZE + 7]).unwrap();
    let mut store = NotedStore::open(&scratch.0, 4, 5, 1, 0).unwrap();
    store.adopt().unwrap();
    store.store(3, 13, &Y).unwrap();
    drop(store);
    assert_eq!(adopted(&scratch, 0).unwrap(), [(11, 1), (12, 2), (13, 3)]);
}

#[test]
fn a_file_of_records_keeps_its_budget() {
    let scratch = Scratch::new("records-budget");
    for room in [0, 1 << 10] {
        let store = NotedStore::open(&scratch.0, 4, 5, 2, room).unwrap();
        let mut store = store.disk_budget(3 * SIZE + 10);
        (0..5).for_each(|slot| store.store(slot, slot, &Y).unwrap());
        let error = store.store(5, 5, &Y).unwrap_err().to_string();
        assert!(
            error.contains(&format!("to {} bytes of the {}", 4 * SIZE, 3 * SIZE + 10)),
            "{error}"
        );
        assert_eq!(store.usage().slots, 5);
        store.note().unwrap();
        assert_eq!(store.usage().disk_bytes, 3 * SIZE);
        assert_eq!(store.adopt().unwrap().len(), 3);
        let long = store.store(2, 2, &[0.0; 6]).unwrap_err().to_string();
        assert_eq!(long, "slot 2 was asked for 6 numbers and holds 5");
        fs::remove_file(store.path()).unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_takes_no_state_from_memory() {
    let scratch = Scratch::new("records-full");
    let mut store = NotedStore::open(&scratch.0, 4, 5, 0, 1 << 10).unwrap();
    store.store(1, 7, &Y).unwrap();
    std::os::unix::fs::symlink("/dev/full", store.path()).unwrap();
    let full = io(store.path(), "No space left on device (os error 28)");
    assert_eq!(store.note().unwrap_err().to_string(), full);
    let mut y = [0.0; 5];
    store.restore(1, 7, &mut y).unwrap();
    // There is room again.
    store.note().unwrap();
    assert_eq!(store.usage().disk_bytes, SIZE);
    let mut later = NotedStore::<f64>::open(&scratch.0, 4, 5, 0, 0).unwrap();
    assert_eq!(later.adopt().unwrap().len(), 1);
    // Where it is in the file alone it is told at once.
    fs::remove_file(store.path()).unwrap();
    let mut store = NotedStore::open(&scratch.0, 4, 5, 0, 0).unwrap();
    std::os::unix::fs::symlink("/dev/full", store.path()).unwrap();
    assert_eq!(store.store(1, 7, &Y).unwrap_err().to_string(), full);
    assert_eq!(
        store.restore(1, 7, &mut y).unwrap_err().to_string(),
        "slot 1 was asked for step 7 and holds nothing"
    );
}

/// A call that can tell of an error.
type Call = fn(&mut TieredStore<f64>) -> Result<(), SnapshotError>;

const CALLS: [(&str, Call); 6] = [
    ("flush", |store| store.flush()),
    ("store on disk", |store| store.store(3, 1, &Y)),
    ("store in memory", |store| store.store(0, 1, &Y)),
    ("restore", |store| store.restore(2, 7, &mut [0.0; 5])),
    ("restore the lost one", |store| store.restore(5, 9, &mut [0.0; 5])),
    ("free", |store| store.free(2)),
];

/// Calls until the thread has failed. Returns what was told, which is told once.
fn told(store: &mut TieredStore<f64>, name: &str, call: Call) -> String {
    for _ in 0..1000 {
        match call(store) {
            Err(error) => {
                store.flush().unwrap_or_else(|error| panic!("{name}: then {error}"));
                return error.to_string();
            }
            Ok(()) => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
    panic!("{name} told of no error");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_the_run_goes_on_when_there_is_room() {
    let scratch = Scratch::new("full");
    for (name, call) in CALLS {
        let mut store = kept(&scratch);
        let path = store.path(5);
        std::os::unix::fs::symlink("/dev/full", path.with_extension("writing")).unwrap();
        store.store(5, 9, &Y).unwrap();
        let full = io(&path, "No space left on device (os error 28)");
        assert_eq!(told(&mut store, name, call), full, "{name}");
        let gone = store.restore(5, 9, &mut [0.0; 5]).unwrap_err().to_string();
        assert_eq!(gone, "slot 5 was asked for step 9 and holds nothing", "{name}");
        // There is room again.
        store.store(5, 9, &Y).unwrap();
        let mut y = [0.0; 5];
        store.restore(5, 9, &mut y).unwrap();
        assert!(same_bits(&y, &Y));
        drop(store);
        assert!(scratch.files().is_empty(), "{name}");
    }
}

#[test]
fn a_write_that_cannot_be_put_in_its_place() {
    let scratch = Scratch::new("place");
    for (name, call) in CALLS {
        let mut store = kept(&scratch);
        let path = store.path(5);
        fs::create_dir_all(path.join("in the way")).unwrap();
        store.store(5, 9, &Y).unwrap();
        let text = told(&mut store, name, call);
        let begin = format!("{}: ", path.display());
        assert!(text.starts_with(&begin) && text.contains("has room"), "{name}: {text}");
        drop(store);
        assert_eq!(scratch.files(), std::slice::from_ref(&path), "{name}");
        fs::remove_dir_all(path).unwrap();
    }
}

#[test]
fn a_directory_that_is_gone() {
    let scratch = Scratch::new("gone");
    let mut store = kept(&scratch);
    let path = store.path(2);
    fs::remove_file(&path).unwrap();
    let system = fs::read(&path).unwrap_err().to_string();
    assert_eq!(restored(&mut store).unwrap_err(), io(&path, &system));
    store.store(2, 7, &Y).unwrap();
    assert!(same_bits(&restored(&mut store).unwrap(), &Y));
    fs::remove_dir_all(&scratch.0).unwrap();
    // Each write that fails is told once, by what is called next.
    store.store(2, 8, &Y).unwrap();
    let mut told = Vec::from_iter(store.store(3, 9, &Y).err());
    while let Err(error) = store.flush() {
        told.push(error);
    }
    assert!((1..=2).contains(&told.len()));
    for (error, slot) in told.iter().zip(2..) {
        assert_eq!(error.to_string(), io(&store.path(slot), &system));
    }
    assert_eq!(store.usage().slots, 0);
    // Nothing is told where nobody asks.
    let _ = store.store(4, 9, &Y);
    drop(store);
    let file = scratch.0.join("file");
    fs::create_dir_all(&scratch.0).unwrap();
    fs::write(&file, b"in the way").unwrap();
    let error = TieredStore::<f64>::new(1, &file).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: ", file.display())), "{error}");
}

#[test]
fn the_disk_budget_is_kept() {
    let scratch = Scratch::new("budget");
    let budget = 4 * SIZE + 10;
    assert_eq!(TieredStore::<f64>::slots_within(budget, 5), 3);
    let mut store = tiered(1, &scratch).disk_budget(budget);
    for round in 0..5 {
        for slot in 0..=3 {
            store.store(slot, round, &Y).unwrap();
            assert!(store.usage().disk_bytes <= budget);
        }
    }
    store.store(4, 0, &Y).unwrap();
    let text = format!(
        "the next snapshot brings the files to {} bytes of the {budget} that they may take: raise \
         the disk budget, or keep fewer snapshots",
        5 * SIZE
    );
    assert_eq!(store.store(5, 0, &Y).unwrap_err().to_string(), text);
    assert_eq!(store.store(4, 1, &Y).unwrap_err().to_string(), text);
    // Nothing was lost, and what is freed can be used.
    store.restore(4, 0, &mut [0.0; 5]).unwrap();
    store.free(1).unwrap();
    store.store(5, 0, &Y).unwrap();
    store.flush().unwrap();
    let on_disk: u64 = scratch.files().iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(on_disk, store.usage().disk_bytes as u64);
}

/// Two states on their way out, two on their way in, and not one more.
#[test]
fn what_is_under_way_is_bounded() {
    let scratch = Scratch::new("bound");
    let mut store = tiered(0, &scratch);
    let y = vec![1.5; 100_000];
    let (size, mut back) = (44 + 8 * y.len(), vec![0.0; y.len()]);
    for slot in 0..60 {
        store.store(slot, slot, &y).unwrap();
        assert!(store.usage().memory_bytes <= 2 * size);
        assert!(store.usage().disk_bytes <= (slot + 1) * size);
    }
    for slot in (0..60).rev() {
        (0..=slot).rev().for_each(|ahead| store.expect(ahead, ahead));
        if slot % 7 == 0 {
            // Out of turn.
            store.restore(slot / 2, slot / 2, &mut back).unwrap();
        }
        store.restore(slot, slot, &mut back).unwrap();
        assert!(same_bits(&back, &y));
        store.store(slot, slot + 1, &y[..50_000]).unwrap();
        assert!(store.usage().memory_bytes <= 4 * size, "{:?}", store.usage());
    }
    assert_eq!(store.usage().slots, 60);
    store.flush().unwrap();
    assert_eq!(store.usage().disk_bytes, 60 * (44 + 8 * 50_000));
}

#[test]
fn files_that_are_kept_can_be_taken_over() {
    let scratch = Scratch::new("adopt");
    let store = kept(&scratch).keep_files();
    let (path, run) = (store.path(2), store.run());
    drop(store);
    assert_eq!(scratch.files(), std::slice::from_ref(&path));
    let open = || TieredStore::<f64>::open(1, &scratch.0, run).unwrap().keep_files();
    let mut store = open();
    assert_eq!(store.usage().slots, 0);
    // What a killed process was writing is of no use; other runs' files and names are let be.
    let others = [store.path(3).with_extension("txt"), scratch.0.join("slot-3-00.costate")];
    for other in others.iter().chain([&store.path(3).with_extension("writing")]) {
        fs::write(other, b"costate1").unwrap();
    }
    assert_eq!(store.found().unwrap(), [2]);
    assert!(!store.path(3).with_extension("writing").exists());
    others.iter().for_each(|other| fs::remove_file(other).unwrap());
    assert_eq!(store.adopt(2).unwrap(), (7, 5));
    assert_eq!((store.usage().slots, store.usage().disk_bytes), (1, SIZE));
    assert!(same_bits(&restored(&mut store).unwrap(), &Y));
    // A file that is not there, and slots in memory.
    let missing = store.adopt(4).unwrap_err().to_string();
    assert!(missing.starts_with(&format!("{}: ", store.path(4).display())), "{missing}");
    fs::copy(&path, store.path(0)).unwrap();
    assert!(store.adopt(0).is_err());
    // Another run's, other numbers, and any damage.
    assert!(TieredStore::<f64>::open(1, &scratch.0, run + 1).unwrap().adopt(2).is_err());
    let mut halves = TieredStore::<f32>::open(1, &scratch.0, run).unwrap().keep_files();
    assert_eq!(halves.adopt(2).unwrap_err().to_string(), damaged(&path, ANOTHER));
    drop((store, halves));
    let good = fs::read(&path).unwrap();
    for place in 0..SIZE {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        fs::write(&path, &bad).unwrap();
        assert_eq!(open().adopt(2).unwrap_err().to_string(), damaged(&path, CHECKSUM));
        fs::write(&path, &good[..place]).unwrap();
        assert!(open().adopt(2).is_err());
    }
    fs::write(&path, &good).unwrap();
    let mut store = TieredStore::<f64>::open(1, &scratch.0, run).unwrap();
    store.adopt(2).unwrap();
    drop(store);
    assert!(!path.exists());
}

#[test]
fn many_slots() {
    let scratch = Scratch::new("many");
    let mut store = TieredStore::<f32>::new(100, &scratch.0).unwrap();
    let at = |slot: usize| [slot as f32, -0.0, 1.0];
    (0..1000).for_each(|slot| store.store(slot, slot + 3, &at(slot)).unwrap());
    for slot in (0..1000_usize).rev() {
        store.expect(slot.saturating_sub(2), slot.saturating_sub(2) + 3);
        let mut y = [0.0; 3];
        store.restore(slot, slot + 3, &mut y).unwrap();
        assert!(same_bits(&y, &at(slot)));
    }
    assert_eq!((store.usage().slots, scratch.files().len()), (1000, 900));
    (0..1000).for_each(|slot| store.free(slot).unwrap());
    store.flush().unwrap();
    assert_eq!((store.usage().slots, store.usage().disk_bytes), (0, 0));
    assert!(scratch.files().is_empty());
}

/// What is on its way when the store is dropped leaves nothing either.
#[test]
fn nothing_is_left_behind() {
    let scratch = Scratch::new("left");
    for _ in 0..20 {
        let (mut one, mut two) = (tiered(1, &scratch), tiered(0, &scratch).durable());
        for step in 0..6 {
            one.store(step, step, &Y).unwrap();
            two.store(step % 3, step, &[step as f64; 9]).unwrap();
            one.expect(step, step);
        }
        drop(one);
        let mut y = [0.0; 9];
        two.restore(2, 5, &mut y).unwrap();
        assert_eq!(y, [5.0; 9]);
    }
    assert!(scratch.files().is_empty());
}

#[test]
fn gradients_in_tiers_have_the_same_bits() {
    let scratch = Scratch::new("gradient");
    let model = Model::trace(2, 1, |_t, y, p| [y[1].clone(), -(&p[0] * &y[0] * &y[0])])
        .initial(|_p| [1.0.into(), 0.0.into()])
        .terminal(|y, _p| &y[0] * &y[1])
        .build()
        .unwrap();
    let steps = 300;
    let grid = TimeGrid::Uniform { start: 0.0, end: 2.0, steps };
    let chain =
        Discretization::new(&model, &model, &model, ExplicitRk::new(&RK4).unwrap(), grid).unwrap();
    let expected = gradient(&chain, &[4.0], StoreAll::new(steps), &mut MemoryStore::new()).unwrap();
    let slow = SlotCosts { write: 300, read: 300 };
    let costs = TierCosts { step: 100, reverse: 300, fast: SlotCosts::default(), slow };
    for (fast, slow) in [(3, 5), (1, 300), (0, 4), (5, 300), (2, 0)] {
        let optimal = Multistage::new(steps, fast, slow, &costs).unwrap();
        let transfer = Transfer::Overlapped { writes: 2 };
        let periodic = Periodic::new(steps, fast, slow, &costs, transfer).unwrap();
        let cases: [(usize, Box<dyn Schedule>); 2] = [
            (optimal.fast_slots(), Box::new(optimal)),
            (periodic.fast_slots(), Box::new(periodic)),
        ];
        for (fast, schedule) in cases {
            let mut store = tiered(fast, &scratch);
            let found = gradient(&chain, &[4.0], schedule, &mut store).unwrap();
            assert_eq!(found.value.to_bits(), expected.value.to_bits());
            assert!(same_bits(&found.wrt_params, &expected.wrt_params), "{fast} + {slow}");
            assert!(same_bits(&found.wrt_y0, &expected.wrt_y0), "{fast} + {slow}");
        }
    }
    assert!(scratch.files().is_empty());
}

#[test]
fn a_disk_is_measured_where_there_is_a_directory() {
    let scratch = Scratch::new("measure");
    let found = measure_disk(scratch.0.join("below")).unwrap();
    assert!(found.write > 1e4 && found.read > 1e4 && found.write.is_finite());
    assert!(scratch.0.join("below").read_dir().unwrap().next().is_none());
    fs::write(scratch.0.join("file"), b"in the way").unwrap();
    assert!(measure_disk(scratch.0.join("file")).is_err());
}
