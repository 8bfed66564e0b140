//! Many hands: the same work for each of many things, on all cores, as if one had done it.

use std::num::NonZero;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Asked once, for it takes reading a few files.
static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// What `work` makes of each thing, in their order. Another hand is only called where there are `few`
/// things for each: for fewer it takes longer to come than it helps.
pub fn each<T: Sync, R: Send>(things: &[T], few: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    each_with(things, few, || (), |(), thing| work(thing))
}

/// The same, where each hand has something of its own to work with.
pub fn each_with<T: Sync, W, R: Send>(
    things: &[T],
    few: usize,
    begin: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &T) -> R + Sync,
) -> Vec<R> {
    let hands = things.len() / few.max(1);
    let hands = if hands < 2 { 1 } else { hands.min(*CORES) };
    share(things, hands, &begin, &work)
}

/// Both at the same time, where there is a core for each.
pub fn both<L: Send, R>(left: impl FnOnce() -> L + Send, right: impl FnOnce() -> R) -> (L, R) {
    if *CORES < 2 {
        return (left(), right());
    }
    thread::scope(|scope| {
        let left = scope.spawn(left);
        let right = right();
        (left.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), right)
    })
}

fn share<T: Sync, W, R: Send>(
    things: &[T],
    hands: usize,
    begin: &(impl Fn() -> W + Sync),
    work: &(impl Fn(&mut W, &T) -> R + Sync),
) -> Vec<R> {
    if hands < 2 {
        let mut own = begin();
        return things.iter().map(|it| work(&mut own, it)).collect();
    }
    // Some things take longer than others, so each hand takes the next one when it is free.
    let next = AtomicUsize::new(0);
    let take_part = || {
        let mut own = begin();
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers
            .map_while(|it| Some((it, work(&mut own, things.get(it)?))))
            .collect::<Vec<(usize, R)>>()
    };
    let mut done: Vec<Option<R>> = things.iter().map(|_| None).collect();
    let mut put = |part: Vec<(usize, R)>| {
        for (number, made) in part {
            if let Some(place) = done.get_mut(number) {
                *place = Some(made);
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..hands).map(|_| scope.spawn(take_part)).collect();
        put(take_part());
        for other in others {
            put(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_hands_the_answer_is_that_of_one() {
        let things: Vec<u64> = (0..1000).collect();
        let expect: Vec<u64> = things.iter().map(|it| it * it).collect();
        for hands in [0, 1, 2, 3, 16] {
            let made = share(&things, hands, &|| 0, &|own: &mut u64, it| {
                *own += 1;
                it * it
            });
            assert_eq!(made, expect, "{hands}");
        }
        assert_eq!(each(&things, 1, |it| it * it), expect);
        assert_eq!(each(&[(); 0], 1, |()| 1), [0; 0]);
    }

    #[test]
    fn both_are_done() {
        assert_eq!(both(|| 1, || 2), (1, 2));
    }

    #[test]
    fn each_hand_begins_once() {
        let begun = AtomicUsize::new(0);
        let begin = || begun.fetch_add(1, Ordering::Relaxed);
        share(&[0; 100], 4, &begin, &|_, _| ());
        assert_eq!(begun.into_inner(), 4);
    }

    #[test]
    fn who_fails_is_heard() {
        let failing = || share(&[0; 100], 4, &|| (), &|(), _| -> u8 { panic!("it failed") });
        let heard = std::panic::catch_unwind(failing).unwrap_err();
        assert_eq!(heard.downcast_ref(), Some(&"it failed"));
    }
}
