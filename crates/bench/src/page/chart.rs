//! Draws the chart `docs/performance.svg` from the main table of the page.
//!
//! A library for charts, such as `plotters`, writes a fixed colour into each element. This chart has a style sheet instead, so that
//! it follows the colour scheme of the reader's system, on whose background it stands.

use std::fmt::Write as _;

use crate::figures::Figure;
use crate::sections::variants::{CADDY, HAPROXY, LUA, NATIVE, NGINX, NOOP, PINNED, PRUNED_NOOP};

/// The variants of the chart, with shorter names that tell how the cookie is protected.
const BARS: [(&str, &str); 8] = [
    (NOOP, "wasm filter that does nothing"),
    (PRUNED_NOOP, "the same without unused callbacks"),
    (PINNED, "this filter (sealed)"),
    (NATIVE, "Envoy's cookie sessions (plain)"),
    (LUA, "Lua script in Envoy (plain)"),
    (HAPROXY, "HAProxy cookie insert (plain)"),
    (CADDY, "Caddy lb_policy cookie (HMAC)"),
    (NGINX, "nginx sticky cookie (unkeyed hash)"),
];

/// The chart of a page. Variants that the page does not have are left out.
pub(crate) fn of_page(page: &str) -> String {
    let bars = BARS.iter().filter_map(|(variant, name)| {
        let cells = page.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let price = cells.into_iter().find_map(|cells| match cells[..] {
            ["", first, _cpu, price, ..] if first == *variant => Figure::parse(price),
            _ => None,
        })?;
        Some(Bar { name, price, ours: *variant == PINNED })
    });
    svg(&bars.collect::<Vec<_>>())
}

struct Bar {
    name: &'static str,
    price: Figure,
    /// True for this filter, which has another colour.
    ours: bool,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 300.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 58.0;
const STEP: f64 = 34.0;
const THICKNESS: f64 = 18.0;

/// Draws the median of each price as a bar, and its range as a line.
fn svg(bars: &[Bar]) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a chart has some ten bars")]
    let height = TOP + STEP * bars.len() as f64 + 34.0;
    let most = bars.iter().map(|bar| bar.price.highest).fold(1.0, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let at = |value: f64| LEFT + value.max(0.0) * scale;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title">
<title id="title">The price of stickiness: CPU per request beyond the same proxy without stickiness, in microseconds</title>
<style>
text {{ font: 14px system-ui, sans-serif; fill: #1f2328; }}
.head {{ font-weight: 600; }}
.note, .axis {{ fill: #59636e; font-size: 12px; }}
.bar {{ fill: #8c959f; }}
.ours {{ fill: #0969da; }}
.spread, .rule {{ stroke: #1f2328; stroke-width: 1.5; }}
.rule {{ stroke: #d1d9e0; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #f0f6fc; }}
.note, .axis {{ fill: #9198a1; }}
.bar {{ fill: #656c76; }}
.ours {{ fill: #4493f8; }}
.spread {{ stroke: #f0f6fc; }}
.rule {{ stroke: #3d444d; }}
}}
</style>
<text class="head" x="0" y="18">The price of stickiness, in µs of CPU per request</text>
<text class="note" x="0" y="38">beyond the same proxy without stickiness: median of all rounds, with the lowest and the highest</text>
"#
    );
    let bottom = height - 28.0;
    for tick in ticks(most) {
        let x = at(tick);
        let _ = writeln!(svg, r#"<line class="rule" x1="{x:.1}" y1="{}" x2="{x:.1}" y2="{bottom}"/>"#, TOP - 8.0);
        let _ =
            writeln!(svg, r#"<text class="axis" x="{x:.1}" y="{}" text-anchor="middle">{tick}</text>"#, bottom + 16.0);
    }
    let mut y = TOP;
    for Bar { name, price, ours } in bars {
        let middle = y + THICKNESS / 2.0;
        let class = if *ours { "ours" } else { "bar" };
        let (start, end) = (at(price.lowest), at(price.highest));
        let baseline = middle + 5.0;
        let _ = writeln!(svg, r#"<text x="{}" y="{baseline}" text-anchor="end">{}</text>"#, LEFT - 10.0, escaped(name));
        let width = price.median.max(0.0) * scale;
        let _ = writeln!(
            svg,
            r#"<rect class="{class}" x="{LEFT}" y="{y}" width="{width:.1}" height="{THICKNESS}" rx="2"/>"#
        );
        let _ = writeln!(svg, r#"<line class="spread" x1="{start:.1}" y1="{middle}" x2="{end:.1}" y2="{middle}"/>"#);
        for x in [start, end] {
            let (top, bottom) = (middle - 4.0, middle + 4.0);
            let _ = writeln!(svg, r#"<line class="spread" x1="{x:.1}" y1="{top}" x2="{x:.1}" y2="{bottom}"/>"#);
        }
        let _ = writeln!(
            svg,
            r#"<text x="{:.1}" y="{baseline}">{:.1} µs</text>"#,
            end.max(LEFT + width) + 8.0,
            price.median
        );
        y += STEP;
    }
    svg + "</svg>\n"
}

/// At most seven round numbers up to the highest value.
fn ticks(most: f64) -> impl Iterator<Item = f64> {
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
    let step = steps.into_iter().find(|step| most / step <= 6.0).unwrap_or(1000.0);
    (0..7).map(move |number| f64::from(number) * step).take_while(move |tick| *tick <= most)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tables;
    use crate::sections::main_table::MainTable;

    fn bars() -> Vec<Bar> {
        let price = |median, lowest, highest| Figure { median, lowest, highest };
        vec![
            Bar { name: "ours <&>", price: price(8.0, 7.0, 9.5), ours: true },
            // Noise can make a price negative.
            Bar { name: "nginx", price: price(-0.2, -1.0, 0.3), ours: false },
        ]
    }

    #[test]
    fn the_chart_is_well_formed_and_has_each_bar() {
        let svg = svg(&bars());
        let document = roxmltree::Document::parse(&svg).unwrap();
        let named = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
        assert_eq!(named("rect").count(), 2);
        assert!(named("text").any(|text| text.text() == Some("ours <&>")));
        assert!(
            named("style").any(|style| style.text().is_some_and(|text| text.contains("prefers-color-scheme: dark")))
        );
    }

    #[test]
    fn all_bars_are_inside_the_chart() {
        let svg = svg(&bars());
        let document = roxmltree::Document::parse(&svg).unwrap();
        for node in document.descendants() {
            for attribute in ["x", "x1", "x2", "width"] {
                let value = node.attribute(attribute).and_then(|value| value.parse::<f64>().ok()).unwrap_or_default();
                assert!((0.0..=WIDTH).contains(&value), "{node:?}");
            }
        }
    }

    #[test]
    fn an_axis_has_few_round_numbers() {
        assert_eq!(ticks(9.5).collect::<Vec<_>>(), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(ticks(41.0).collect::<Vec<_>>(), [0.0, 10.0, 20.0, 30.0, 40.0]);
    }

    #[test]
    fn the_chart_has_the_variants_of_the_page_and_no_others() {
        let chart = of_page(&tables::main_table(&MainTable::of_four_variants()));
        assert!(chart.contains("this filter (sealed)") && chart.contains("10.5 µs"), "{chart}");
        assert!(!chart.contains("nginx"), "{chart}");
    }

    #[test]
    fn the_chart_in_docs_is_drawn_from_the_page_in_docs() {
        let read = |name: &str| std::fs::read_to_string(local_envoy::workspace_root().join("docs").join(name)).unwrap();
        let (page, chart) = (read("performance.md"), read("performance.svg"));
        assert!(chart == of_page(&page), "draw it again: cargo run -p bench -- --redraw");
        assert!(chart.contains("this filter (sealed)"));
    }
}
