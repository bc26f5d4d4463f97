use std::collections::HashMap;

/// A row of pixels.
pub(crate) type Row<'a> = &'a [[u8; 3]];

/// Pictures of fewer rows or columns are not looked at line by line: chance makes such short lines plain.
const LEAST: usize = 8;

/// The picture without the rows and columns of one colour along its four sides: borders of a print, bars
/// beside a film, margins of a page. At least 8 rows and columns stay, else all.
pub(crate) fn without_borders(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    let (Some(height), Some(width)) = (inner(&plain_rows(&rows)), inner(&plain_columns(&rows)))
    else {
        return rows;
    };
    if height.len() < LEAST || width.len() < LEAST {
        return rows;
    }
    rows[height].iter().map(|row| &row[width.clone()]).collect()
}

/// The share of rows that have one colour, the same in all of them, plus that of columns, 0..=2. Pages
/// and screens have the ground between their parts; what a lens draws hardly ever fills a line.
pub(crate) fn plain_share(rows: &[Row<'_>]) -> f32 {
    share(&plain_rows(rows)) + share(&plain_columns(rows))
}

/// The colour of each row that has one.
fn plain_rows(rows: &[Row<'_>]) -> Vec<Option<[u8; 3]>> {
    let plain = |row: &Row<'_>| {
        let (&first, near) = (row.first()?, row.iter().filter(|pixel| is_near(row[0], **pixel)));
        is_plain(near.count(), row.len()).then_some(first)
    };
    rows.iter().map(plain).collect()
}

/// The colour of each column that has one.
fn plain_columns(rows: &[Row<'_>]) -> Vec<Option<[u8; 3]>> {
    let Some(&first) = rows.first().filter(|_| rows.len() >= LEAST) else { return Vec::new() };
    let mut near = vec![0_usize; first.len()];
    for row in rows {
        for ((near, first), pixel) in near.iter_mut().zip(first).zip(*row) {
            *near += usize::from(is_near(*first, *pixel));
        }
    }
    let plain = |(near, &first)| is_plain(near, rows.len()).then_some(first);
    near.into_iter().zip(first).map(plain).collect()
}

fn is_near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1)
}

/// A line may hold a few other pixels, which JPEG scatters round edges.
fn is_plain(near: usize, all: usize) -> bool {
    all >= LEAST && 50 * near >= 49 * all
}

/// The lines between the plain ones at both ends; `None` where there are none.
fn inner(lines: &[Option<[u8; 3]>]) -> Option<std::ops::Range<usize>> {
    let begin = lines.iter().position(Option::is_none)?;
    let end = lines.iter().rposition(Option::is_none)?;
    Some(begin..end + 1)
}

/// The share of lines that have the most common of the lines' colours, told apart by 64 levels a channel.
fn share(lines: &[Option<[u8; 3]>]) -> f32 {
    let mut colours: HashMap<[u8; 3], u32> = HashMap::new();
    for colour in lines.iter().flatten() {
        *colours.entry(colour.map(|level| level >> 2)).or_default() += 1;
    }
    colours.into_values().max().unwrap_or(0) as f32 / lines.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20 rows of 30 pixels.
    fn picture(colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<[[u8; 3]; 30]> {
        (0..20).map(|y| std::array::from_fn(|x| colour(x, y))).collect()
    }

    fn rows(picture: &[[[u8; 3]; 30]]) -> Vec<Row<'_>> {
        picture.iter().map(|row| &row[..]).collect()
    }

    fn pattern(x: usize, y: usize) -> [u8; 3] {
        [(37 * x + 91 * y) as u8, (59 * x * y) as u8, 7]
    }

    #[test]
    fn borders_go_and_what_is_inside_stays() {
        let framed = picture(|x, y| match (x, y) {
            (2..25, 3..19) => pattern(x, y),
            _ => [255; 3],
        });
        let inside = without_borders(rows(&framed));
        assert_eq!((inside.len(), inside[0].len()), (16, 23));
        assert_eq!(inside[0][0], pattern(2, 3));
        assert!(plain_share(&rows(&framed)) > 0.2 && plain_share(&inside) == 0.0);
        // Nothing would be left of a blank picture, and too little of a narrow one.
        let blank = picture(|_, _| [9; 3]);
        assert_eq!(without_borders(rows(&blank)), rows(&blank));
        let narrow = picture(|x, y| if x < 5 { pattern(x, y) } else { [9; 3] });
        assert_eq!(without_borders(rows(&narrow)), rows(&narrow));
    }

    #[test]
    fn lines_of_one_ground_count_and_those_of_a_slope_do_not() {
        let page = picture(|x, y| if y % 4 == 1 { [250; 3] } else { pattern(x, y) });
        assert_eq!(plain_share(&rows(&page)), 0.25);
        let sky = picture(|x, y| if y % 4 == 1 { [4 * y as u8; 3] } else { pattern(x, y) });
        assert_eq!(plain_share(&rows(&sky)), 0.05);
        assert_eq!(plain_share(&rows(&page)[..4]), 0.25, "too few rows for columns");
        assert_eq!(plain_share(&[]), 0.0);
    }
}
