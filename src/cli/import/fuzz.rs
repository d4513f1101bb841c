//! Seeded mutation of sitemaps, like that of pages in `fetch`; for a longer run:
//! `QUARTERDECK_FUZZ_SECONDS=600 cargo test --release --lib fuzz::sitemap`.

use super::gzip::unpack;
use super::lines::{ImportFormat, ImportLine, read};
use crate::fetch::fuzz::run;
use flate2::{Compression, write::GzEncoder};
use std::io::{Cursor, Read as _, Write as _};

fn seeds() -> Vec<Vec<u8>> {
    let sitemap = "<?xml version='1.0' encoding='UTF-8'?>\n<!-- c -->\n<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' \
                   xmlns:image='u:image'>\n<url><loc>https://a.b/1?x=1&amp;y=&#x32;</loc><lastmod>2026-11-01</lastmod>\
                   <image:image><image:loc>https://a.b/p.png</image:loc></image:image></url>\n\
                   <url><loc><![CDATA[https://a.b/2]]></loc></url>\n<url/>\n</urlset>\n";
    let index = "<sitemapindex><sitemap><loc>https://a.b/s.xml.gz</loc></sitemap></sitemapindex>";
    let entities = "<!DOCTYPE urlset [<!ENTITY a \"&a;&a;\">]><urlset><url><loc>https://a.b/&a;</loc></url></urlset>";
    let latin =
        [b"<?xml version='1.0' encoding='ISO-8859-1'?><urlset><url><loc>https://a.b/\xe9".as_slice(), b"</loc>"];
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(sitemap.as_bytes()).expect("into memory");
    let mut seeds: Vec<Vec<u8>> = [sitemap, index, entities, "<rss><channel/></rss>"].map(Into::into).into();
    seeds.push(latin.concat());
    seeds.push(sitemap.encode_utf16().flat_map(u16::to_le_bytes).collect());
    seeds.push(packed.finish().expect("into memory"));
    seeds
}

#[test]
fn sitemap() {
    run("sitemap", 500, &seeds(), |bytes, dice| {
        let parsed = || {
            let mut file = Vec::new();
            unpack(Cursor::new(bytes.to_vec())).ok()?.text.read_to_end(&mut file).ok()?;
            let lines = read(ImportFormat::Sitemap, Box::new(Cursor::new(file.clone())), 1, 2);
            let lines = lines.map(|lines| lines.map(|line| line.expect("from memory")).collect::<Vec<_>>());
            Some((file.len() as u64 + 1, lines))
        };
        let Some((lines_of_file, lines)) = parsed() else { return };
        let acts = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
        if let Err(reason) = &lines {
            assert!(!reason.is_empty() && !acts(reason), "{reason:?}");
        }
        for line in lines.iter().flatten() {
            match line {
                ImportLine::Document(document) => assert!(document.link.as_str().starts_with("http"), "{document:?}"),
                ImportLine::Unreadable { number, reason } => {
                    assert!((1..=lines_of_file).contains(number), "line {number}");
                    assert!(reason.len() < 1_000 || reason.contains("sitemap index"), "{reason}");
                    assert!(!acts(reason), "{reason:?}");
                }
            }
        }
        if dice.below(8) == 0 {
            assert_eq!(parsed().map(|(_, lines)| lines), Some(lines), "not the same twice");
        }
    });
}
