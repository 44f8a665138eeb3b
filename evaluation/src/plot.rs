//! A scored series as a picture: the values, the band they are due in, the surprise, and the episodes. An SVG that needs
//! nothing else and is readable on light and dark ground.

use std::fmt::Write as _;
use std::io::{self, Write};

use insighthub_detect::series::{SeriesDetector, THRESHOLD};
use insighthub_model::Timestamp;
use insighthub_model::timestamp::NANOS_PER_SEC;

use crate::series_csv::Sample;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
/// Top and bottom of the panels of values and of surprise.
const VALUES: (f64, f64) = (40.0, 260.0);
const SURPRISE: (f64, f64) = (290.0, 400.0);
const HEIGHT: f64 = 450.0;
/// One column a pixel and a half: more could not be seen.
const COLUMNS: usize = 586;
/// Horizontal marks of a panel, and dates.
const MARKS: usize = 4;
const DATES: usize = 6;
/// Colours by role, told apart without red against green; the second set is for dark ground.
const STYLE: &str = "<style>\
svg{background:#fff;font:12px system-ui,sans-serif;--ink:#1f2430;--line:#2b62a8;--band:#2b62a833;--odd:#c2410c;--grid:#8884}\
@media(prefers-color-scheme:dark){svg{background:#14171f;--ink:#e4e7ee;--line:#7fb2f5;--band:#7fb2f540;--odd:#fb923c}}\
text{fill:var(--ink)}.t{font-size:14px;font-weight:600}.g{stroke:var(--grid)}.v{fill:none;stroke:var(--line);stroke-width:1.2}\
.b{fill:var(--band)}.s{fill:none;stroke:var(--ink);stroke-width:1}.h{stroke:var(--odd);stroke-dasharray:5 4}\
.e{fill:var(--odd);fill-opacity:.16}.o{fill:var(--odd)}</style>";

/// All of one pixel column.
#[derive(Debug, Clone, Copy)]
struct Column {
    least: f64,
    most: f64,
    /// The band's least and most; NaN while there is none.
    band: (f64, f64),
    surprise: f64,
    /// The value of the column that opened an episode or made it worse.
    reported: Option<f64>,
}

impl Default for Column {
    fn default() -> Column {
        Column {
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            band: (f64::NAN, f64::NAN),
            surprise: 0.0,
            reported: None,
        }
    }
}

/// Scores a series and draws it under a title.
pub fn series(samples: &[Sample], title: &str, mut out: impl Write) -> io::Result<()> {
    let (first, last) = (samples.first(), samples.last());
    let (from, to) = (first.map_or(0, |sample| sample.time_secs), last.map_or(1, |sample| sample.time_secs));
    let columns = columns(samples, from, to.max(from + 1));
    let inside = columns.iter().filter(|column| column.least <= column.most);
    let least = inside.clone().map(|column| column.least).fold(f64::INFINITY, f64::min);
    let most = inside.map(|column| column.most).fold(f64::NEG_INFINITY, f64::max);
    let (least, most) = match (least < most, least.is_finite()) {
        (true, _) => (least, most),
        (false, true) => (least - 1.0, least + 1.0),
        (false, false) => (0.0, 1.0),
    };
    let values = Axis { panel: VALUES, least, most };
    let loudest = columns.iter().map(|column| column.surprise).fold(2.0 * THRESHOLD, f64::max);
    let surprise = Axis { panel: SURPRISE, least: 0.0, most: loudest };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\"><title>{0}</title>{STYLE}\
         <text class=\"t\" x=\"{LEFT}\" y=\"24\">{0}</text>",
        escaped(title)
    );
    episodes(&columns, &mut svg);
    values.marks(&mut svg);
    surprise.marks(&mut svg);
    band(&columns, &values, &mut svg);
    lines(&columns, &values, &surprise, &mut svg);
    legend(from, to, &surprise, &mut svg);
    svg.push_str("</svg>\n");
    out.write_all(svg.as_bytes())?;
    out.flush()
}

fn columns(samples: &[Sample], from: i64, to: i64) -> Vec<Column> {
    let mut columns = vec![Column::default(); COLUMNS];
    let mut detector = SeriesDetector::default();
    for sample in samples.iter().filter(|sample| sample.value.is_finite()) {
        let band = detector.band(sample.time_secs);
        let score = detector.push(sample.time_secs, sample.value);
        let at = (sample.time_secs - from) as f64 / (to - from) as f64 * (COLUMNS - 1) as f64;
        let Some(column) = columns.get_mut(at.max(0.0) as usize) else { continue };
        column.least = column.least.min(sample.value);
        column.most = column.most.max(sample.value);
        column.surprise = column.surprise.max(score.surprise);
        if let Some((least, most)) = band {
            column.band = (least.min(column.band.0), most.max(column.band.1));
        }
        if score.is_anomaly {
            column.reported = Some(sample.value);
        }
    }
    columns
}

/// A vertical scale.
#[derive(Debug, Clone, Copy)]
struct Axis {
    panel: (f64, f64),
    least: f64,
    most: f64,
}

impl Axis {
    fn y(&self, value: f64) -> f64 {
        let (top, bottom) = self.panel;
        let share = ((value - self.least) / (self.most - self.least)).clamp(0.0, 1.0);
        bottom - share * (bottom - top)
    }

    fn marks(&self, svg: &mut String) {
        let digits = usize::from(self.most - self.least < 20.0) * 2;
        for mark in 0..=MARKS {
            let value = self.least + (self.most - self.least) * mark as f64 / MARKS as f64;
            let y = self.y(value);
            push(svg, format_args!("<path class=\"g\" d=\"M{LEFT} {y:.1}H{:.0}\"/>", WIDTH - RIGHT));
            let x = LEFT - 6.0;
            push(
                svg,
                format_args!(
                    "<text x=\"{x}\" y=\"{:.1}\" text-anchor=\"end\">{value:.digits$}</text>",
                    y + 4.0
                ),
            );
        }
    }
}

fn x(column: usize) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * column as f64 / (COLUMNS - 1) as f64
}

/// A bar over both panels for each report, wide enough to be seen.
fn episodes(columns: &[Column], svg: &mut String) {
    for (at, _) in columns.iter().enumerate().filter(|(_, column)| column.reported.is_some()) {
        let (left, top, height) = (x(at) - 3.0, VALUES.0, SURPRISE.1 - VALUES.0);
        push(
            svg,
            format_args!("<rect class=\"e\" x=\"{left:.1}\" y=\"{top}\" width=\"6\" height=\"{height}\"/>"),
        );
    }
}

fn band(columns: &[Column], values: &Axis, svg: &mut String) {
    let known: Vec<(usize, (f64, f64))> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| (at, column.band))
        .filter(|(_, (least, most))| least.is_finite() && most.is_finite())
        .collect();
    if known.is_empty() {
        return;
    }
    let upper = known.iter().map(|(at, (_, most))| (x(*at), values.y(*most)));
    let lower = known.iter().rev().map(|(at, (least, _))| (x(*at), values.y(*least)));
    push(svg, format_args!("<path class=\"b\" d=\"{}Z\"/>", path(upper.chain(lower))));
}

fn lines(columns: &[Column], values: &Axis, surprise: &Axis, svg: &mut String) {
    let seen = || columns.iter().enumerate().filter(|(_, column)| column.least <= column.most);
    let of_values =
        seen().flat_map(|(at, column)| [(x(at), values.y(column.least)), (x(at), values.y(column.most))]);
    push(svg, format_args!("<path class=\"v\" d=\"{}\"/>", path(of_values)));
    let of_surprise = seen().map(|(at, column)| (x(at), surprise.y(column.surprise)));
    push(svg, format_args!("<path class=\"s\" d=\"{}\"/>", path(of_surprise)));
    for (at, value) in columns.iter().enumerate().filter_map(|(at, column)| Some((at, column.reported?))) {
        push(
            svg,
            format_args!("<circle class=\"o\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>", x(at), values.y(value)),
        );
    }
}

fn legend(from: i64, to: i64, surprise: &Axis, svg: &mut String) {
    let y = surprise.y(THRESHOLD);
    push(svg, format_args!("<path class=\"h\" d=\"M{LEFT} {y:.1}H{:.0}\"/>", WIDTH - RIGHT));
    for date in 0..DATES {
        let secs = from + (to - from) * date as i64 / (DATES as i64 - 1);
        let day = Timestamp(secs * NANOS_PER_SEC).to_string();
        let at = LEFT + (WIDTH - LEFT - RIGHT) * date as f64 / (DATES - 1) as f64;
        let anchor = match date {
            0 => "start",
            date if date == DATES - 1 => "end",
            _ => "middle",
        };
        let day = day.get(..10).unwrap_or_default();
        push(svg, format_args!("<text x=\"{at:.0}\" y=\"418\" text-anchor=\"{anchor}\">{day}</text>"));
    }
    push(
        svg,
        format_args!(
            "<text x=\"{LEFT}\" y=\"440\">Above: the value (line) and where 999 of 1,000 are due (band); dots are \
             anomalies. Below: surprise, -log10 p; dashed is the threshold of {THRESHOLD}.</text>"
        ),
    );
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let letter = if path.is_empty() { 'M' } else { 'L' };
        push(&mut path, format_args!("{letter}{x:.1} {y:.1}"));
    }
    path
}

/// Appends; writing to a string cannot fail.
fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
    let written = svg.write_fmt(text);
    debug_assert!(written.is_ok(), "a string takes what it is given");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_drawn_as_an_episode_outside_of_the_band() {
        let sample = |at: i64| {
            let value = if at == 2_500 { 90.0 } else { 10.0 + wave(at) };
            Sample { text: String::new(), time_secs: at * 300, value, is_labelled: false }
        };
        let samples: Vec<Sample> = (0..3_000).map(sample).collect();
        let mut svg = Vec::new();
        series(&samples, "a < b", &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        assert!(svg.contains("<title>a &lt; b</title>") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("class=\"b\"") && svg.contains("prefers-color-scheme:dark"));
        let dots: Vec<&str> = svg.split("<circle").skip(1).collect();
        // The jump is the most there is: its dot is at the top of the panel.
        assert!(dots.iter().any(|dot| dot.contains("cy=\"40.0\"")), "{dots:?}");
        assert!(dots.len() < 10 && !svg.contains("NaN") && !svg.contains("inf"), "{}", dots.len());
    }

    #[test]
    fn nothing_and_one_value_are_drawn_too() {
        let one = Sample { text: String::new(), time_secs: 5, value: 3.0, is_labelled: false };
        for samples in [&[][..], &[one]] {
            let mut svg = Vec::new();
            series(samples, "", &mut svg).unwrap();
            let svg = String::from_utf8(svg).unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    /// A day's rise and fall with some noise.
    fn wave(at: i64) -> f64 {
        let noise = (at.wrapping_mul(2_654_435_761) >> 7 & 0xff) as f64 / 256.0;
        ((at % 288) - 144).abs() as f64 / 40.0 + noise
    }
}
