//! Weights → rectangles that fill another one, each as square as can be (the squarified layout of Bruls,
//! Huizing and van Wijk, 2000).

/// A rectangle, in any unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// One rectangle for each weight, in their order, which must be from the largest to the smallest.
pub fn layout(weights: &[u64], within: Rect) -> Vec<Rect> {
    let sum: u64 = weights.iter().sum();
    if sum == 0 {
        return vec![Rect { width: 0.0, height: 0.0, ..within }; weights.len()];
    }
    let scale = within.width * within.height / sum as f64;
    let areas: Vec<f64> = weights.iter().map(|weight| *weight as f64 * scale).collect();
    let (mut rects, mut free, mut done) = (Vec::with_capacity(areas.len()), within, 0);
    while done < areas.len() {
        let side = free.width.min(free.height);
        let mut end = done + 1;
        while end < areas.len() && worst(&areas[done..=end], side) <= worst(&areas[done..end], side)
        {
            end += 1;
        }
        free = row(&areas[done..end], free, &mut rects);
        done = end;
    }
    rects
}

/// How far the worst of a row along a side is from a square.
fn worst(areas: &[f64], side: f64) -> f64 {
    let sum: f64 = areas.iter().sum();
    let (largest, smallest) = (areas[0], areas[areas.len() - 1]);
    if smallest <= 0.0 || side <= 0.0 {
        return f64::INFINITY;
    }
    let (side, sum) = (side * side, sum * sum);
    (side * largest / sum).max(sum / (side * smallest))
}

/// Puts a row along the shorter side; what is left free.
fn row(areas: &[f64], free: Rect, rects: &mut Vec<Rect>) -> Rect {
    let sum: f64 = areas.iter().sum();
    let is_column = free.width >= free.height;
    let side = if is_column { free.height } else { free.width };
    let depth = if side > 0.0 { sum / side } else { 0.0 };
    let mut at = 0.0;
    for area in areas {
        let length = if depth > 0.0 { area / depth } else { 0.0 };
        rects.push(match is_column {
            true => Rect { x: free.x, y: free.y + at, width: depth, height: length },
            false => Rect { x: free.x + at, y: free.y, width: length, height: depth },
        });
        at += length;
    }
    let depth_x = if is_column { depth } else { 0.0 };
    let depth_y = if is_column { 0.0 } else { depth };
    Rect {
        x: free.x + depth_x,
        y: free.y + depth_y,
        width: (free.width - depth_x).max(0.0),
        height: (free.height - depth_y).max(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Rect = Rect { x: 0.0, y: 0.0, width: 600.0, height: 400.0 };

    #[test]
    fn rectangles_fill_the_whole_and_have_their_weights() {
        let weights = [6, 6, 4, 3, 2, 2, 1];
        let rects = layout(&weights, WITHIN);
        let area = |rect: &Rect| rect.width * rect.height;
        let sum: f64 = rects.iter().map(area).sum();
        assert!((sum - 240_000.0).abs() < 0.01, "{sum}");
        for (weight, rect) in weights.iter().zip(&rects) {
            assert!((area(rect) - *weight as f64 * 10_000.0).abs() < 0.01, "{rect:?}");
            assert!(rect.x >= -0.01 && rect.x + rect.width <= 600.01, "{rect:?}");
            assert!(rect.y >= -0.01 && rect.y + rect.height <= 400.01, "{rect:?}");
            // That of the paper's example: no rectangle is worse than 3 to 1.
            let ratio = rect.width / rect.height;
            assert!((0.33..=3.0).contains(&ratio), "{rect:?}");
        }
        for (place, one) in rects.iter().enumerate() {
            for other in &rects[place + 1..] {
                let apart = |a: f64, size: f64, b: f64| a + size <= b + 0.01;
                let is_apart = apart(one.x, one.width, other.x)
                    || apart(other.x, other.width, one.x)
                    || apart(one.y, one.height, other.y)
                    || apart(other.y, other.height, one.y);
                assert!(is_apart, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn nothing_and_nought_do_no_harm() {
        assert_eq!(layout(&[], WITHIN), []);
        assert_eq!(layout(&[0], WITHIN)[0].width, 0.0);
        let flat = Rect { height: 0.0, ..WITHIN };
        assert!(layout(&[2, 1], flat).iter().all(|rect| rect.width.is_finite()));
        let rects = layout(&[5, 0], WITHIN);
        assert!(rects.iter().all(|rect| rect.width.is_finite() && rect.height.is_finite()));
    }
}
