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

#[cfg(test)]
mod tests {
    use super::*;

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
