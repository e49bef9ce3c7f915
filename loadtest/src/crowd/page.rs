//! What a browser loads before the first square: taken from the page itself.

use std::collections::BTreeSet;

use anyhow::ensure;

use crate::http::{self, browser_get};

/// Files that only some visitors need: another language, and shapes other than points.
const LEFT_OUT: [&str; 2] = ["de-", "drawing-"];
/// Files of a page at most.
const FILES_MAX: usize = 100;

/// Requests of one page load.
#[derive(Clone, Debug)]
pub struct Page {
    pub document: Vec<u8>,
    pub campaign: Vec<u8>,
    pub assets: Vec<Vec<u8>>,
    /// Bytes of all answers, as a browser accepts them.
    pub bytes: usize,
}

impl Page {
    /// Follows the names of files from the document on.
    pub async fn read(server: &str, slug: &str) -> anyhow::Result<Self> {
        let path = format!("/s/{slug}");
        let mut open = vec![http::fetch(server, &http::get(&path)).await?];
        let mut known = BTreeSet::new();
        while let Some(text) = open.pop() {
            for name in names(&String::from_utf8_lossy(&text)) {
                if LEFT_OUT.iter().any(|begin| name.starts_with(begin))
                    || !known.insert(name.clone())
                {
                    continue;
                }
                ensure!(known.len() <= FILES_MAX, "the page has no end of files");
                // A name can also be something else.
                let asked = http::get(&format!("/assets/{name}"));
                match http::fetch(server, &asked).await {
                    Ok(file) if !is_of(&name, "css") => open.push(file),
                    Ok(_) => {}
                    Err(_) => {
                        known.remove(&name);
                    }
                }
            }
        }
        let ask = |name: &String| browser_get(&format!("/assets/{name}"), "");
        let mut page = Self {
            document: browser_get(&path, ""),
            campaign: browser_get(&format!("/v1/campaigns/{slug}?area=false"), ""),
            assets: known.iter().map(ask).collect(),
            bytes: 0,
        };
        for request in [&page.document, &page.campaign]
            .into_iter()
            .chain(&page.assets)
        {
            page.bytes += http::fetch(server, request).await?.len();
        }
        Ok(page)
    }
}

/// Words that end as files of a page do.
fn names(text: &str) -> Vec<String> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let words = text.split(|c| !is_of_a_name(c));
    words
        .filter(|word| ["js", "css", "mjs"].iter().any(|kind| is_of(word, kind)))
        // Without a hash it is none of ours.
        .filter(|word| word.contains('-'))
        .map(str::to_owned)
        .collect()
}

fn is_of(name: &str, kind: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ending == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_found() {
        let text = r#"src:`a-B1_x.js`,["./b-2.css","n.js"] x.style.css c-3.mjs?"#;
        assert_eq!(names(text), ["a-B1_x.js", "b-2.css", "c-3.mjs"]);
    }
}
