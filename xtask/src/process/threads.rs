//! Several things at once, in a thread each.

use anyhow::{Result, bail};

/// Works on all items side by side; the results come in the order of the items.
pub fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Vec<Result<R>> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items.iter().map(|item| scope.spawn(move || work(item))).collect();
        let join = threads.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(_) => bail!("a thread panicked"),
        });
        join.collect()
    })
}

/// Works on many small items with all CPUs; the results come in the order of the items.
pub fn all_cpus<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(threads).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<_>>()))
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<R>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().flat_map(join).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_items_are_worked_on_in_their_order() {
        for count in [0, 1, 2, 7, 100] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(all_cpus(&items, |item| item + 1), (1..=count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn results_keep_the_order_and_each_error_stays_with_its_item() {
        let halves = side_by_side(&[4, 3, 2], |number| match number % 2 {
            0 => Ok(number / 2),
            _ => bail!("{number} is odd"),
        });
        let told: Vec<_> = halves.into_iter().map(|it| it.map_err(|e| e.to_string())).collect();
        assert_eq!(told, [Ok(2), Err("3 is odd".to_owned()), Ok(1)]);
    }
}
