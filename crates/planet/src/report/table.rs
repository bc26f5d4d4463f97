use std::fmt::Write;

use crate::plot::escaped;

/// A table of a report: written once, shown as HTML, CSV and Markdown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Name of its file, without an ending.
    pub name: &'static str,
    /// What stands above it.
    pub title: String,
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
    /// What stands below it.
    pub note: String,
}

impl Table {
    /// An empty table.
    pub fn new(name: &'static str, title: &str, header: &[&str]) -> Self {
        let header = header.iter().map(|&column| column.to_owned()).collect();
        Self { name, title: title.to_owned(), header, rows: Vec::new(), note: String::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, name: impl Into<String>, cells: impl IntoIterator<Item = String>) {
        self.rows.push([name.into()].into_iter().chain(cells).collect());
    }

    /// A heading and a `<table>`.
    pub fn to_html(&self) -> String {
        let title = escaped(&self.title);
        let mut html =
            format!("<h3>{title}</h3>\n<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
        for column in &self.header {
            html.push_str(&format!("<th scope=\"col\">{}</th>", escaped(column)));
        }
        html.push_str("</tr></thead>\n<tbody>");
        for row in &self.rows {
            html.push_str("<tr>");
            for (at, cell) in row.iter().enumerate() {
                let cell = escaped(cell);
                html.push_str(&match at {
                    0 => format!("<th scope=\"row\">{cell}</th>"),
                    _ => format!("<td>{cell}</td>"),
                });
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>\n");
        if !self.note.is_empty() {
            html.push_str(&format!("<p class=\"note\">{}</p>\n", escaped(&self.note)));
        }
        html
    }

    /// RFC 4180.
    pub fn to_csv(&self) -> String {
        let line = |cells: &Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            cells.join(",") + "\n"
        };
        [&self.header].into_iter().chain(&self.rows).map(line).collect()
    }

    /// A heading and a table as GitHub and pandoc read it.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("## {}\n\n", self.title);
        let line = |cells: &Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        text.push_str(&line(&self.header));
        let right = "---:|".repeat(self.header.len().saturating_sub(1));
        writeln!(text, "|---|{right}").expect("text grows");
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        if !self.note.is_empty() {
            writeln!(text, "\n{}", self.note).expect("text grows");
        }
        text.push('\n');
        text
    }

    /// Columns in line, for a terminal.
    pub fn to_text(&self) -> String {
        let rows = || [&self.header].into_iter().chain(&self.rows);
        let width = |column: usize| {
            rows().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> =
            (0..self.header.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in rows() {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(line, "{cell:<width$}"),
                    _ => write!(line, "  {cell:>width$}"),
                }
                .expect("text grows");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_the_same_in_every_form() {
        let mut table = Table::new("t", "A & B", &["x", "1 km"]);
        table.row("a, \"b\"", ["1.5".to_owned()]);
        assert_eq!(table.to_csv(), "x,1 km\n\"a, \"\"b\"\"\",1.5\n");
        assert_eq!(
            table.to_markdown(),
            "## A & B\n\n| x | 1 km |\n|---|---:|\n| a, \"b\" | 1.5 |\n\n"
        );
        assert_eq!(table.to_text(), "x       1 km\na, \"b\"   1.5\n");
        assert!(table.to_html().contains("<h3>A &amp; B</h3>"));
        let row = "<th scope=\"row\">a, &quot;b&quot;</th><td>1.5</td></tr>";
        assert!(table.to_html().contains(row));
    }
}
