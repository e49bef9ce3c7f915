//! Reports as Markdown.

use super::{Report, Setting, Table, blocks::Block};

pub fn document(setting: &Setting, name: &str, reports: &[Report]) -> String {
    let mut text = format!("# {name}\n\n{}\n", setting.sentence());
    text.push_str("\nThe page of the same name beside this file shows the plots.\n");
    for report in reports {
        text.push('\n');
        text.push_str(&section(report));
    }
    text
}

pub fn section(report: &Report) -> String {
    let parts: Vec<String> = report
        .blocks()
        .into_iter()
        .filter_map(|block| match block {
            Block::Heading(title) => Some(format!("## `{title}`\n")),
            Block::Text(sentence) => Some(format!("{sentence}\n")),
            Block::Table(shown) => Some(table(&shown)),
            Block::Listing(lines) => Some(format!("```\n{}\n```\n", lines.join("\n"))),
            Block::Plots(_) => None,
        })
        .collect();
    parts.join("\n")
}

fn table(table: &Table) -> String {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = table.head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule: Vec<String> = (0..head.len())
        .map(|nth| if nth == 0 { "---" } else { "--:" }.to_owned())
        .collect();
    let mut text = match table.title.as_str() {
        "" => String::new(),
        title => format!("{title}:\n\n"),
    };
    text.push_str(&row(&head));
    text.push_str(&row(&rule));
    for cells in &table.rows {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text.push_str(&row(&cells));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_one_of_markdown() {
        let shown = Table {
            title: "What came".to_owned(),
            head: vec!["", "calls"],
            rows: vec![vec!["a|b".to_owned(), "3".to_owned()]],
        };
        let wanted = "What came:\n\n|  | calls |\n| --- | --: |\n| a\\|b | 3 |\n";
        assert_eq!(table(&shown), wanted);
    }
}
