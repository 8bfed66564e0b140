//! Many questions at once, on as many cores as there are.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What `act` makes of each task, in their order; on one core if that is not `worth` more.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    tasks: &[T],
    worth: bool,
    act: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    if !worth {
        return tasks.iter().map(act).collect();
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let work = || {
        let tasks = std::iter::from_fn(|| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            Some((number, tasks.get(number)?))
        });
        tasks.map(|(number, task)| (number, act(task))).collect::<Vec<(usize, R)>>()
    };
    let mut done = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..cores.min(tasks.len())).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for thread in threads {
            done.extend(thread.join().expect("what it does never panics"));
        }
        done
    });
    done.sort_by_key(|it| it.0);
    done.into_iter().map(|it| it.1).collect()
}
