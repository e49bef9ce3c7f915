//! Reports as one page that needs nothing else: no script, no font, no picture from elsewhere.

use std::fmt::Write;

use super::{Report, Setting, Table, blocks::Block};

const STYLE: &str = include_str!("page.css");

pub fn page(setting: &Setting, name: &str, reports: &[Report]) -> String {
    let mut body = format!(
        "<h1>Spotter: {}</h1>\n<p>{}</p>\n",
        escaped(name),
        inline(&setting.sentence())
    );
    if reports.len() > 1 {
        let links = reports
            .iter()
            .map(|report| format!("<a href=\"#{0}\">{0}</a>", escaped(report.scenario)));
        let links: Vec<String> = links.collect();
        let _infallible = writeln!(body, "<nav>{}</nav>", links.join(" "));
    }
    for report in reports {
        section(report, &mut body);
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Spotter: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escaped(name)
    )
}

fn section(report: &Report, body: &mut String) {
    let scenario = escaped(report.scenario);
    let _infallible = writeln!(body, "<section id=\"{scenario}\">");
    for block in report.blocks() {
        let part = match block {
            Block::Heading(title) => format!("<h2>{}</h2>", escaped(&title)),
            Block::Text(sentence) => format!("<p>{}</p>", inline(&sentence)),
            Block::Table(shown) => table(&shown),
            Block::Plots(plots) => format!("<div class=\"plots\">{}</div>", plots.join("\n")),
            Block::Listing(lines) => format!(
                "<details><summary>Metrics of a server</summary><pre>{}</pre></details>",
                escaped(&lines.join("\n"))
            ),
        };
        body.push_str(&part);
        body.push('\n');
    }
    body.push_str("</section>\n");
}

fn table(table: &Table) -> String {
    let mut head = String::new();
    for cell in &table.head {
        let _infallible = write!(head, "<th scope=\"col\">{}</th>", escaped(cell));
    }
    let mut rows = String::new();
    for cells in &table.rows {
        rows.push_str("<tr>");
        for (nth, cell) in cells.iter().enumerate() {
            let kind = match cell.as_str() {
                "yes" => " class=\"kept\"",
                "no" => " class=\"missed\"",
                _ => "",
            };
            let part = if nth == 0 {
                format!("<th scope=\"row\">{}</th>", inline(cell))
            } else {
                format!("<td{kind}>{}</td>", inline(cell))
            };
            rows.push_str(&part);
        }
        rows.push_str("</tr>\n");
    }
    let title = if table.title.is_empty() {
        String::new()
    } else {
        format!("<caption>{}</caption>", escaped(&table.title))
    };
    format!(
        "<div class=\"wide\"><table>{title}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>"
    )
}

/// A sentence in which `words` between backticks are code.
fn inline(text: &str) -> String {
    let mut shown = String::new();
    for (nth, part) in text.split('`').enumerate() {
        if nth % 2 == 1 {
            let _infallible = write!(shown, "<code>{}</code>", escaped(part));
        } else {
            shown.push_str(&escaped(part));
        }
    }
    shown
}

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Measured;

    #[test]
    fn a_page_asks_nobody_for_anything_and_escapes_what_it_shows() {
        let setting = Setting {
            results: std::path::PathBuf::new(),
            command: "./dev bench <x>".to_owned(),
            rounds: "1 round".to_owned(),
            commit: "abc".to_owned(),
            machine: "2 cores".to_owned(),
        };
        let mut report = Report::new("looks");
        report.about.push("a < b & `c`".to_owned());
        report.lines.of("one").add(Measured::default());
        let page = page(&setting, "looks", &[report]);
        assert!(page.contains("a &lt; b &amp; <code>c</code>"));
        assert!(page.contains("./dev bench &lt;x&gt;"));
        for outside in ["src=", "href=\"http", "url(", "<script", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
