//! The difference of two short texts, by lines, for people.

/// Lines that are gone (`-`) and new (`+`), with the lines next to them; nothing for equal texts.
pub fn lines(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut marked = Vec::new();
    let (mut i, mut j) = (0, 0);
    let common = common(&old, &new);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            marked.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j >= new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            marked.push(('-', old[i]));
            i += 1;
        } else {
            marked.push(('+', new[j]));
            j += 1;
        }
    }
    let is_near = |at: usize| {
        marked[at.saturating_sub(1)..(at + 2).min(marked.len())]
            .iter()
            .any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    for (at, (mark, line)) in marked.iter().enumerate().filter(|(at, _)| is_near(*at)) {
        if at > 0 && !is_near(at - 1) && !text.is_empty() {
            text.push_str("  …\n");
        }
        text.push_str(&format!("{mark} {line}\n"));
    }
    text
}

/// For each pair of places, how many lines the rests have in common.
fn common(old: &[&str], new: &[&str]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            table[i][j] = if old[i] == new[j] {
                table[i + 1][j + 1] + 1
            } else {
                table[i + 1][j].max(table[i][j + 1])
            };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn changed_lines_are_shown_with_their_neighbours() {
        assert_eq!(lines("a\nb\n", "a\nb\n"), "");
        let (old, new) = ("a\nb\nc\nd\ne\nf\ng\n", "a\nB\nc\nd\ne\ng\nh\n");
        assert_eq!(lines(old, new), "  a\n- b\n+ B\n  c\n  …\n  e\n- f\n  g\n+ h\n");
    }
}
