//! All figures as one HTML document: no scripts, nothing from elsewhere, light or dark as the reader's system is.

use std::fmt::Write as _;

use wasmlops_statistics::text::number;

use crate::canvas::{escaped, style_sheet};
use crate::figures::Figure;
use crate::scores::Score;

const STYLE: &str = "
:root{color-scheme:light dark;--text:#1f2328;--quiet:#57606a;--line:#d8dee4;--paper:#ffffff;--card:#ffffff}
@media (prefers-color-scheme: dark){:root{--text:#e6eaef;--quiet:#a9b3be;--line:#333b45;--paper:#14181d;--card:#1a1f26}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1240px;padding:28px 24px 48px;background:var(--paper);color:var(--text);
font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}
h1{margin:0;font-size:26px;line-height:1.2}
header p{margin:6px 0 0;color:var(--quiet);max-width:80ch}
dl{display:flex;flex-wrap:wrap;gap:10px;margin:22px 0 26px;padding:0}
dl div{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:8px 14px;min-width:104px}
dt{font-size:12px;color:var(--quiet)}
dd{margin:0;font-size:20px;font-variant-numeric:tabular-nums}
dd small{display:block;font-size:12px;color:var(--quiet)}
main{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:18px;align-items:start}
figure{margin:0;border:1px solid var(--line);border-radius:10px;background:var(--card);padding:10px 10px 14px}
figure svg{display:block;width:100%;height:auto}
svg text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}
figcaption{margin:8px 8px 0;font-size:13px;line-height:1.45;color:var(--quiet)}
footer{margin-top:26px;color:var(--quiet);font-size:12px}
@media print{body{max-width:none;padding:0}figure{break-inside:avoid}}
";

/// What the page is about.
pub struct Page<'a> {
    pub title: &'a str,
    /// One sentence.
    pub about: &'a str,
    pub scores: &'a [Score],
    pub figures: &'a [Figure],
}

impl Page<'_> {
    pub fn html(&self) -> String {
        let title = escaped(self.title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}{}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>{}</p>\n</header>\n<dl>\n",
            style_sheet(),
            escaped(self.about)
        );
        self.scores.iter().for_each(|score| push_score(&mut html, score));
        html.push_str("</dl>\n<main>\n");
        for figure in self.figures {
            let Figure { name, svg, caption, .. } = figure;
            let _ =
                writeln!(html, "<figure id=\"{name}\">\n{svg}<figcaption>{}</figcaption>\n</figure>", escaped(caption));
        }
        html.push_str(
            "</main>\n<footer>Drawn by evaluation-report, a plugin of Wasmlops.</footer>\n</body>\n</html>\n",
        );
        html
    }
}

fn push_score(html: &mut String, score: &Score) {
    let value = score.model.map_or_else(|| "–".to_owned(), number);
    let beside = score.baseline.map_or_else(String::new, |other| format!("<small>baseline {}</small>", number(other)));
    let name = score.name.replace('_', " ");
    let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}{beside}</dd></div>");
}
