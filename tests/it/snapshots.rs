//! Snapshots: what comes back is what was kept, or an error that names the file and what is wrong
//! with it; and no file outlives its store.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use costate::adjoint::Progress;
use costate::error::{Error, SnapshotError};
use costate::method::Method;
use costate::method::tableau::BS3;
use costate::model::Model;
use costate::numbers::scalar::Scalar;
use costate::ode::objective::LeastSquares;
use costate::ode::{At, Bars, Ode, Vjp};
use costate::problem::ensemble;
use costate::problem::{Problem, ScheduleKind};
use costate::snapshot::{DiskStore, MemoryStore, NotedStore, SnapshotStore, TieredStore, Usage};

use crate::common::scratch::Scratch;

const Y: [f64; 5] = [1.0, -2.5, f64::MIN_POSITIVE, 1e300, -0.0];
const SIZE: usize = 40 + 5 * 8 + 4;

/// A store whose slot 2 holds y_7.
fn kept(directory: &Path) -> DiskStore<f64> {
    let mut store = DiskStore::new(directory).unwrap();
    store.store(2, 7, &Y).unwrap();
    store
}

fn restored(store: &mut DiskStore<f64>) -> Result<[f64; 5], SnapshotError> {
    let mut y = [0.0; 5];
    store.restore(2, 7, &mut y).map(|()| y)
}

fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits()))
}

fn length(path: &Path, found: usize) -> String {
    format!(
        "{}: the snapshot has {found} bytes instead of {SIZE}: it was torn or replaced; run the \
         gradient again",
        path.display()
    )
}

fn damaged(path: &Path, what: &str) -> String {
    format!(
        "{}: {what}: the file was damaged or is not this run's; remove it and resume, or run the gradient again",
        path.display()
    )
}

const CHECKSUM: &str = "the checksum does not match";
const ANOTHER: &str = "the snapshot is another run's or another step's";

#[test]
fn files_of_another_length() {
    let scratch = Scratch::new("length");
    let mut store = kept(&scratch.0);
    let path = store.path(2);
    let good = fs::read(&path).unwrap();
    assert_eq!(good.len(), SIZE);
    for size in 0..SIZE {
        fs::write(&path, &good[..size]).unwrap();
        assert_eq!(restored(&mut store).unwrap_err().to_string(), length(&path, size));
    }
    for more in [1, 8, SIZE, 100_000] {
        let mut long = good.clone();
        long.resize(SIZE + more, 0);
        fs::write(&path, &long).unwrap();
        assert_eq!(restored(&mut store).unwrap_err().to_string(), length(&path, SIZE + more));
    }
    fs::write(&path, &good).unwrap();
    assert!(same_bits(&restored(&mut store).unwrap(), &Y));
}

/// Every byte counts: header, state and checksum.
#[test]
fn any_byte_flipped() {
    let scratch = Scratch::new("flip");
    let mut store = kept(&scratch.0);
    let path = store.path(2);
    let good = fs::read(&path).unwrap();
    for place in 0..SIZE {
        for mask in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[place] ^= mask;
            fs::write(&path, &bad).unwrap();
            let error = restored(&mut store).unwrap_err().to_string();
            assert_eq!(error, damaged(&path, CHECKSUM), "byte {place}");
        }
    }
}

#[test]
fn files_of_another_store_step_or_kind() {
    let (mine, other) = (Scratch::new("mine"), Scratch::new("other"));
    let mut store = kept(&mine.0);
    let path = store.path(2);
    let good = fs::read(&path).unwrap();
    let other_run = kept(&other.0);
    fs::copy(other_run.path(2), &path).unwrap();
    assert_eq!(restored(&mut store).unwrap_err().to_string(), damaged(&path, ANOTHER));
    // The same store's, one step on.
    store.store(3, 8, &Y).unwrap();
    fs::copy(store.path(3), &path).unwrap();
    assert_eq!(restored(&mut store).unwrap_err().to_string(), damaged(&path, ANOTHER));
    // As many bytes, but of twice as many numbers of half the size.
    let mut halves = DiskStore::<f32>::new(&other.0).unwrap();
    halves.store(4, 7, &[1.0; 10]).unwrap();
    fs::copy(halves.path(4), &path).unwrap();
    assert_eq!(restored(&mut store).unwrap_err().to_string(), damaged(&path, ANOTHER));
    fs::write(&path, good).unwrap();
    assert!(same_bits(&restored(&mut store).unwrap(), &Y));
}

#[test]
fn a_file_that_is_gone() {
    let scratch = Scratch::new("gone");
    let mut store = kept(&scratch.0);
    let path = store.path(2);
    fs::remove_file(&path).unwrap();
    let system = fs::read(&path).unwrap_err();
    let text =
        format!("{}: {system}; give a directory that can be written and has room", path.display());
    assert_eq!(restored(&mut store).unwrap_err().to_string(), text);
    // It can be kept again.
    store.store(2, 7, &Y).unwrap();
    assert!(same_bits(&restored(&mut store).unwrap(), &Y));
    // Nothing can where the directory is gone too.
    fs::remove_dir_all(&scratch.0).unwrap();
    let error = store.store(2, 7, &Y).unwrap_err().to_string();
    assert_eq!(error, text);
}

#[test]
fn a_directory_that_cannot_be_made() {
    let scratch = Scratch::new("file");
    let file = scratch.0.join("file");
    fs::write(&file, b"in the way").unwrap();
    for directory in [file.clone(), file.join("below")] {
        let system = fs::create_dir_all(&directory).unwrap_err();
        let text = format!(
            "{}: {system}; give a directory that can be written and has room",
            directory.display()
        );
        assert_eq!(DiskStore::<f64>::new(&directory).unwrap_err().to_string(), text);
        let decay = decay();
        let problem = Problem::new(&decay, (0.0, 1.0), &[1.0]).on_disk(directory);
        let text = format!("{text}, then resume");
        assert_eq!(problem.gradient().unwrap_err().to_string(), text);
    }
    assert_eq!(fs::read(&file).unwrap(), b"in the way");
}

fn decay() -> Model {
    Model::trace(1, 1, |_t, y, p| [-&p[0] * &y[0]])
        .initial(|_p| [2.0.into()])
        .terminal(|y, _p| y[0].clone())
        .build()
        .unwrap()
}

#[test]
fn a_file_that_cannot_be_put_in_its_place() {
    let scratch = Scratch::new("place");
    let mut store = DiskStore::new(&scratch.0).unwrap();
    let path = store.path(0);
    fs::create_dir_all(path.join("in the way")).unwrap();
    let text = store.store(0, 0, &Y).unwrap_err().to_string();
    let (begin, end) =
        (format!("{}: ", path.display()), "; give a directory that can be written and has room");
    assert!(text.starts_with(&begin) && text.ends_with(end), "{text}");
    assert_eq!(scratch.files(), [path]);
    assert_eq!(
        store.restore(0, 0, &mut [0.0; 5]).unwrap_err().to_string(),
        "slot 0 was asked for step 0 and holds nothing"
    );
}

#[test]
fn nothing_is_left_behind() {
    let scratch = Scratch::new("left");
    let mut store = DiskStore::new(&scratch.0).unwrap();
    assert!(scratch.files().is_empty());
    for (slot, step) in [(0, 0), (5, 3), (2, 9), (5, 11)] {
        store.store(slot, step, &Y).unwrap();
    }
    assert_eq!(scratch.files().len(), 3);
    assert_eq!((store.usage().slots, store.usage().disk_bytes), (3, 3 * (40 + 44)));
    drop(store);
    assert!(scratch.files().is_empty());
    // Nor after a gradient, nor after one that fails on its way.
    let decay = decay();
    let problem = Problem::new(&decay, (0.0, 1.0), &[1.0]).on_disk(&scratch.0);
    let on_disk = problem.gradient().unwrap();
    assert!(on_disk.stats.snapshots_peak > 1);
    assert!(scratch.files().is_empty());
    assert!(problem.max_steps(2).gradient().is_err());
    assert!(scratch.files().is_empty());
    // What was there before stays.
    let foreign = scratch.0.join("notes.txt");
    fs::write(&foreign, b"notes").unwrap();
    drop(kept(&scratch.0));
    assert_eq!(scratch.files(), [foreign]);
}

/// Two gradients at once may be told the same directory.
#[test]
fn stores_that_share_a_directory() {
    let scratch = Scratch::new("shared");
    let (mut one, mut two) = (kept(&scratch.0), kept(&scratch.0));
    two.store(2, 7, &[9.0; 5]).unwrap();
    assert!(same_bits(&restored(&mut one).unwrap(), &Y));
    drop(one);
    assert_eq!(restored(&mut two).unwrap(), [9.0; 5]);
    drop(two);
    assert!(scratch.files().is_empty());
    let decay = decay();
    let members: Vec<f64> = (0..40).map(|i| 0.1 * f64::from(i)).collect();
    let run = |on_disk: bool| {
        ensemble::gradients(&members, |&p| {
            let p = [p];
            let problem = Problem::new(&decay, (0.0, 1.0), &p).fixed_steps(9);
            if on_disk { problem.on_disk(&scratch.0).gradient() } else { problem.gradient() }
        })
    };
    let (in_files, in_memory) = (run(true).unwrap(), run(false).unwrap());
    for (a, b) in in_files.iter().zip(&in_memory) {
        assert_eq!((a.value, &a.wrt_params, &a.wrt_y0), (b.value, &b.wrt_params, &b.wrt_y0));
    }
    assert!(scratch.files().is_empty());
}

/// What any store does.
fn slots<S: Scalar, T: SnapshotStore<S>>(store: &mut T, many: usize, bytes: fn(Usage) -> usize) {
    let number = |n: usize| S::of(n as f64);
    let asked = |store: &mut dyn SnapshotStore<S>, slot, step| {
        let mut y = [number(77); 3];
        let result = store.restore(slot, step, &mut y).map_err(|error| error.to_string());
        assert!(result.is_ok() || y == [number(77); 3]);
        result.map(|()| y)
    };
    let holds =
        |slot, step, what| Err(format!("slot {slot} was asked for step {step} and holds {what}"));
    assert_eq!(asked(store, 0, 0), holds(0, 0, "nothing"));
    assert_eq!(asked(store, usize::MAX, 0), holds(usize::MAX, 0, "nothing"));
    store.store(1, 4, &[number(1), number(2), number(3)]).unwrap();
    assert_eq!(asked(store, 1, 4), Ok([number(1), number(2), number(3)]));
    assert_eq!(asked(store, 1, 4), Ok([number(1), number(2), number(3)]));
    assert_eq!(asked(store, 1, 5), holds(1, 5, "step 4"));
    assert_eq!(asked(store, 0, 4), holds(0, 4, "nothing"));
    assert_eq!(asked(store, 2, 4), holds(2, 4, "nothing"));
    store.store(1, 5, &[number(4); 3]).unwrap();
    assert_eq!(asked(store, 1, 4), holds(1, 4, "step 5"));
    assert_eq!(asked(store, 1, 5), Ok([number(4); 3]));
    // Another length than was kept.
    let mut long = [number(0); 4];
    let error = store.restore(1, 5, &mut long).unwrap_err().to_string();
    assert_eq!(error, "slot 1 was asked for 4 numbers and holds 3");
    for slot in 0..many {
        store.store(slot, slot + 10, &[number(slot); 3]).unwrap();
    }
    for slot in (0..many).rev() {
        assert_eq!(asked(store, slot, slot + 10), Ok([number(slot); 3]));
    }
    let held = |store: &T| {
        let usage = store.usage();
        (usage.slots, bytes(usage))
    };
    assert_eq!(held(store), (many, many * 3 * S::BYTES));
    for slot in (0..many).chain(0..many) {
        store.free(slot).unwrap();
        assert_eq!(asked(store, slot, slot + 10), holds(slot, slot + 10, "nothing"));
    }
    assert_eq!(held(store), (0, 0));
    store.store(1, 4, &[number(1), number(2), number(3)]).unwrap();
    assert_eq!(asked(store, 1, 4), Ok([number(1), number(2), number(3)]));
}

#[test]
fn slots_hold_what_was_last_kept() {
    let in_memory = |usage: Usage| usage.memory_bytes;
    let on_disk = |usage: Usage| usage.disk_bytes - 44 * usage.slots;
    slots::<f64, _>(&mut MemoryStore::new(), 3000, in_memory);
    slots::<f32, _>(&mut MemoryStore::new(), 3000, in_memory);
    let scratch = Scratch::new("slots");
    slots::<f64, _>(&mut DiskStore::new(&scratch.0).unwrap(), 100, on_disk);
    slots::<f32, _>(&mut DiskStore::new(&scratch.0).unwrap(), 100, on_disk);
    assert!(scratch.files().is_empty());
}

/// Lists of slots are as long as their largest number.
#[test]
fn a_slot_far_beyond_the_others_is_refused() {
    let scratch = Scratch::new("far");
    let mut stores: [Box<dyn SnapshotStore<f64>>; 5] = [
        Box::new(MemoryStore::new()),
        Box::new(DiskStore::new(&scratch.0).unwrap()),
        Box::new(NotedStore::open(&scratch.0, 1, 1, 1, 0).unwrap()),
        Box::new(NotedStore::open(&scratch.0, 2, 1, 1, usize::MAX).unwrap()),
        Box::new(TieredStore::open(1, &scratch.0, 3).unwrap()),
    ];
    for (k, store) in stores.iter_mut().enumerate() {
        for slot in [1 << 30, usize::MAX / 4, usize::MAX] {
            let result = store.store(slot, 0, &[1.0]);
            assert!(matches!(result, Err(SnapshotError::FarSlot { .. })), "{k}: {result:?}");
            assert!(store.restore(slot, 0, &mut [0.0]).is_err());
            store.free(slot).unwrap();
        }
        store.store(2, 0, &[1.0]).unwrap();
    }
}

#[test]
fn a_state_of_no_numbers() {
    let scratch = Scratch::new("empty");
    let mut stores: [Box<dyn SnapshotStore<f64>>; 2] =
        [Box::new(MemoryStore::new()), Box::new(DiskStore::new(&scratch.0).unwrap())];
    for store in &mut stores {
        store.store(0, 3, &[]).unwrap();
        assert!(store.restore(0, 3, &mut []).is_ok());
        assert!(store.restore(0, 2, &mut []).is_err());
    }
}

/// y_i' = −k y_i with as many states as have a file each.
#[derive(Clone)]
struct Large;

impl Large {
    const DIM: usize = 9000;
}

impl Ode for Large {
    type Work = ();

    fn dim(&self) -> usize {
        Large::DIM
    }

    fn num_params(&self) -> usize {
        1
    }

    fn work(&self) {}

    fn work_bytes(&self) -> usize {
        0
    }
    fn rhs(&self, At { y, p, .. }: At<'_>, dy: &mut [f64], _: &mut ()) {
        dy.iter_mut().zip(y).for_each(|(dy, y)| *dy = -p[0] * y);
    }
}

impl Vjp for Large {
    fn vjp(
        &self,
        At { y, p, .. }: At<'_>,
        w: &[f64],
        Bars { y: y_bar, p: p_bar, .. }: Bars<'_>,
        _: &mut (),
    ) {
        y_bar.iter_mut().zip(w).for_each(|(bar, w)| *bar -= p[0] * w);
        p_bar[0] -= y.iter().zip(w).map(|(y, w)| y * w).sum::<f64>();
    }
}

/// A file that is harmed in the middle of a gradient stops it, wherever it stands.
#[test]
fn a_gradient_whose_snapshot_is_harmed() {
    let scratch = Scratch::new("gradient");
    let y0: Vec<f64> = (0..Large::DIM).map(|i| 1.0 + i as f64 * 1e-4).collect();
    let objective = LeastSquares::new(vec![1.0], vec![0.5; Large::DIM], &[1.0]).unwrap();
    let harmed = Mutex::new(Vec::new());
    let harm = |progress: Progress| {
        if progress.forward == 20 && progress.reversed == 5 {
            let slots = scratch
                .files()
                .into_iter()
                .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("slot-"));
            for file in slots {
                harmed.lock().unwrap().push(file.clone());
                let mut bytes = fs::read(&file).unwrap();
                bytes[45] ^= 4;
                fs::write(&file, bytes).unwrap();
            }
        }
    };
    let whole =
        Problem::new(&Large, (0.0, 1.0), &[1.0]).initial(&y0).objective(&objective).fixed_steps(20);
    let problem = whole.clone().snapshots(4).on_disk(&scratch.0);
    let text = problem.clone().on_progress(&harm).gradient().unwrap_err().to_string();
    let harmed = harmed.lock().unwrap().clone();
    assert_eq!(harmed.len(), 4);
    assert!(harmed.iter().any(|path| damaged(path, CHECKSUM) == text), "{text}");
    // Too short a run to be noted: it begins again.
    let resumed = problem.resume(&scratch.0).gradient().unwrap();
    assert_eq!(resumed.wrt_params, whole.gradient().unwrap().wrt_params);
    assert_eq!(resumed.stats.resumed_at_step, None);
    assert!(scratch.files().is_empty());
}

/// Gradients that are stopped again and again, in either sweep, and where they stand is all in files.
#[test]
fn a_gradient_that_is_stopped_goes_on_to_the_same_bits() {
    let (decay, scratch) = (decay(), Scratch::new("stop"));
    let mut random = fastrand::Rng::with_seed(3);
    let small = Problem::new(&decay, (0.0, 1.0), &[1.0]);
    let y0: Vec<f64> = (0..Large::DIM).map(|i| 1.0 + i as f64 * 1e-4).collect();
    let objective = LeastSquares::new(vec![1.0], vec![0.5; Large::DIM], &[1.0]).unwrap();
    let large = Problem::new(&Large, (0.0, 1.0), &[1.0]).initial(&y0).objective(&objective);
    let mut stopped = [0, 0];
    for round in 0..2 {
        stopped[0] += stop_and_go(&small, 8, &scratch, &mut random);
        stopped[1] += stop_and_go(&large, 8 * Large::DIM as u64, &scratch, &mut random);
        assert!(scratch.files().is_empty(), "{round}");
    }
    println!("{stopped:?} stops");
    assert!(stopped[0] > 30 && stopped[1] > 30);
}

/// Stops and resumes gradients by every schedule until they end. Returns how often it stopped.
fn stop_and_go(
    problem: &Problem<'_>,
    state: u64,
    scratch: &Scratch,
    random: &mut fastrand::Rng,
) -> usize {
    let bs3 = || problem.clone().method(Method::Named(&BS3)).rtol(1e-5);
    let fixed = |steps| problem.clone().method(Method::Named(&BS3)).fixed_steps(steps);
    let mut stops = 0;
    for (name, run) in [
        ("all", bs3()),
        ("online", bs3().snapshots(4)),
        ("revolve", bs3().snapshots(4).schedule(ScheduleKind::Revolve)),
        ("room for few files", bs3().disk_budget(9 * (state + 44))),
        ("budget", bs3().budget(100_000 + 100 * state)),
        ("fixed", fixed(50).snapshots(5)),
        ("fixed uniform", fixed(50).snapshots(5).schedule(ScheduleKind::Uniform)),
        ("fixed all", fixed(50)),
        ("fixed budget", fixed(300).budget(100_000 + 100 * state)),
    ] {
        let expected = match name.contains("fixed") {
            true if name == "fixed budget" => fixed(300).gradient(),
            true => fixed(50).gradient(),
            false => bs3().gradient(),
        };
        let expected = expected.unwrap();
        let mut tries = 0;
        let found = loop {
            tries += 1;
            assert!(tries < 200, "{name}: no end");
            // A pass that only counts steps begins again each time.
            let (asked, patience) = (AtomicUsize::new(0), random.usize(5..100 + 5 * tries));
            let stop = || asked.fetch_add(1, Ordering::Relaxed) >= patience;
            match run.clone().resume(&scratch.0).stop_if(&stop).gradient() {
                Ok(gradient) => break gradient,
                Err(Error::Stopped) => stops += 1,
                Err(error) => panic!("{name}: {error}"),
            }
        };
        assert_eq!(found.value.to_bits(), expected.value.to_bits(), "{name}");
        assert!(same_bits(&found.wrt_params, &expected.wrt_params), "{name}");
        assert!(same_bits(&found.wrt_y0, &expected.wrt_y0), "{name}");
        assert_eq!(found.wrt_end_time.to_bits(), expected.wrt_end_time.to_bits(), "{name}");
    }
    stops
}

#[test]
fn what_stops_a_gradient_needs_a_directory() {
    let decay = decay();
    let problem = Problem::new(&decay, (0.0, 1.0), &[1.0]).stop_if(&|| true);
    let text = "what stops the gradient is given: it must be left out where nothing is noted: without \
                a directory, or with backsolve";
    assert_eq!(problem.gradient().unwrap_err().to_string(), text);
}
