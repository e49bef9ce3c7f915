//! Pictures of times and rates, as SVG whose colours follow the page.

use std::fmt::Write;

use super::{Line, Lines, html::escaped};
use crate::measure::{Second, float, float_of};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
/// Room for the axes' words.
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 22.0;
const TOP: f64 = 8.0;
const RIGHT: f64 = 8.0;
/// Colours that the page has.
const COLOURS: usize = 8;
/// Parts of all answers at which the curve is drawn, and their words where there is one.
const PARTS: [(f64, &str); 10] = [
    (0.0, "0"),
    (0.25, ""),
    (0.5, "50 %"),
    (0.75, ""),
    (0.9, "90"),
    (0.95, ""),
    (0.99, "99"),
    (0.999, "99.9"),
    (0.9999, "99.99"),
    (0.99999, "99.999"),
];
/// Below it, times are not told apart.
const SHORTEST_MS: f64 = 0.05;

/// Points of one line, in the units of the axes.
struct Curve<'a> {
    name: &'a str,
    points: Vec<(f64, f64)>,
}

/// The percentile curve, the times and the rates second by second.
pub fn all(lines: &Lines) -> Vec<String> {
    let timed: Vec<&Line> = lines.0.iter().filter(|line| line.has_times()).collect();
    if timed.is_empty() {
        return Vec::new();
    }
    let by_second = |of: fn(&Second) -> f64| {
        let curve = |line: &&'_ Line| {
            let seconds = line.seconds().enumerate();
            seconds
                .filter(|(_, second)| second.times.count() > 0)
                .map(|(nth, second)| (float_of(nth), of(second)))
                .collect()
        };
        timed
            .iter()
            .map(|line| (line.name.as_str(), curve(line)))
            .map(curve_of)
            .collect::<Vec<_>>()
    };
    let percentiles: Vec<Curve<'_>> = timed
        .iter()
        .map(|line| (line.name.as_str(), percentile_points(line)))
        .map(curve_of)
        .collect();
    vec![
        legend(&percentiles),
        figure(
            "Milliseconds that so many answers do not exceed",
            &percentiles,
            &Axes::percentiles(&percentiles),
        ),
        over_time(
            "99 % of the answers of each second, ms",
            &by_second(|s| s.times.quantile_ms(0.99)),
            true,
        ),
        over_time(
            "Answers in each second",
            &by_second(|s| float(s.times.count())),
            false,
        ),
    ]
}

fn curve_of((name, points): (&str, Vec<(f64, f64)>)) -> Curve<'_> {
    Curve { name, points }
}

/// A part as a place: each nine takes as much room as the one before.
fn nines(part: f64) -> f64 {
    -(1.0 - part).log10()
}

fn percentile_points(line: &Line) -> Vec<(f64, f64)> {
    let times = line.times();
    // A part that is less than one answer says nothing.
    let known = |part: &f64| float(times.count()) * (1.0 - part) >= 1.0;
    let parts = PARTS.iter().map(|(part, _)| *part).filter(known);
    parts
        .map(|part| (nines(part), times.quantile_ms(part)))
        .collect()
}

fn over_time(title: &str, curves: &[Curve<'_>], is_log: bool) -> String {
    figure(title, curves, &Axes::seconds(curves, is_log))
}

/// The ranges of both axes and where words stand.
struct Axes {
    x_max: f64,
    y_min: f64,
    y_max: f64,
    is_log: bool,
    x_words: Vec<(f64, String)>,
    y_words: Vec<(f64, String)>,
}

impl Axes {
    fn percentiles(curves: &[Curve<'_>]) -> Self {
        let last = |curve: &Curve<'_>| curve.points.last().map_or(0.0, |(x, _)| *x);
        let x_max = curves.iter().map(last).fold(1.0, f64::max);
        let mut axes = Self::upright(curves, true);
        axes.x_max = x_max;
        axes.x_words = PARTS
            .iter()
            .filter(|(part, word)| !word.is_empty() && nines(*part) <= x_max + 1e-9)
            .map(|(part, word)| (nines(*part), (*word).to_owned()))
            .collect();
        axes
    }

    fn seconds(curves: &[Curve<'_>], is_log: bool) -> Self {
        let points = curves.iter().flat_map(|curve| &curve.points);
        let x_max = points.map(|(x, _)| *x).fold(1.0, f64::max);
        let mut axes = Self::upright(curves, is_log);
        axes.x_max = x_max;
        let step = nice_step(x_max / 4.0).max(1.0);
        axes.x_words = steps(0.0, x_max, step)
            .map(|at| (at, format!("{at:.0} s")))
            .collect();
        axes
    }

    fn upright(curves: &[Curve<'_>], is_log: bool) -> Self {
        let values = || curves.iter().flat_map(|c| &c.points).map(|(_, y)| *y);
        let highest = values().fold(0.0, f64::max);
        let (y_min, y_max, y_words);
        if is_log {
            let lowest = values().fold(f64::MAX, f64::min).max(SHORTEST_MS);
            y_min = lowest.log10().floor();
            y_max = highest.max(SHORTEST_MS).log10().ceil().max(y_min + 1.0);
            y_words = steps(y_min, y_max, 1.0)
                .map(|at| (at, words(10_f64.powf(at))))
                .collect();
        } else {
            let step = nice_step(highest / 4.0);
            y_min = 0.0;
            y_max = (highest / step).ceil().max(1.0) * step;
            y_words = steps(0.0, y_max, step).map(|at| (at, words(at))).collect();
        }
        Self {
            x_max: 1.0,
            y_min,
            y_max,
            is_log,
            x_words: Vec::new(),
            y_words,
        }
    }

    fn x(&self, at: f64) -> f64 {
        LEFT + at / self.x_max * (WIDTH - LEFT - RIGHT)
    }

    /// Of a place on the axis.
    fn y(&self, at: f64) -> f64 {
        let part = (at - self.y_min) / (self.y_max - self.y_min);
        HEIGHT - BOTTOM - part.clamp(0.0, 1.0) * (HEIGHT - BOTTOM - TOP)
    }

    /// Of a value.
    fn y_of(&self, value: f64) -> f64 {
        if self.is_log {
            self.y(value.max(SHORTEST_MS).log10())
        } else {
            self.y(value)
        }
    }
}

/// Which colour is which line, once for all figures.
fn legend(curves: &[Curve<'_>]) -> String {
    let mut items = String::new();
    for (nth, curve) in curves.iter().enumerate() {
        let sign = if nth < COLOURS { "━" } else { "┅" };
        let _infallible = write!(
            items,
            "<li><b style=\"color:var(--c{})\">{sign}</b> {}</li>",
            nth % COLOURS,
            escaped(curve.name)
        );
    }
    format!("<ul class=\"legend\">{items}</ul>")
}

fn figure(title: &str, curves: &[Curve<'_>], axes: &Axes) -> String {
    let mut svg = String::new();
    for (at, word) in &axes.y_words {
        let y = axes.y(*at);
        let _infallible = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{word}</text>",
            WIDTH - RIGHT,
            LEFT - 5.0,
            y + 4.0
        );
    }
    for (at, word) in &axes.x_words {
        let x = axes.x(*at);
        let _infallible = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{word}</text>",
            HEIGHT - 6.0
        );
    }
    for (nth, curve) in curves.iter().enumerate() {
        let colour = nth % COLOURS;
        // Beyond the colours, lines are dashed.
        let dash = if nth >= COLOURS {
            " stroke-dasharray=\"5 3\""
        } else {
            ""
        };
        let mut points: Vec<String> = curve
            .points
            .iter()
            .map(|(x, y)| format!("{:.1},{:.1}", axes.x(*x), axes.y_of(*y)))
            .collect();
        // A single point would not be seen.
        if let [point] = points.as_slice() {
            let (x, y) = point.split_once(',').unwrap_or_default();
            points = vec![
                point.clone(),
                format!("{:.1},{y}", x.parse().unwrap_or(LEFT) + 4.0),
            ];
        }
        let _infallible = write!(
            svg,
            "<polyline style=\"stroke:var(--c{colour})\"{dash} points=\"{}\"/>",
            points.join(" ")
        );
    }
    let title = escaped(title);
    format!(
        "<figure><figcaption>{title}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">{svg}</svg></figure>"
    )
}

/// One, two or five times a power of ten, about so large.
fn nice_step(about: f64) -> f64 {
    if about <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(about.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= about);
    factor.unwrap_or(10.0) * power
}

fn steps(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(from), move |at| Some(at + step))
        .take_while(move |at| *at <= to + step / 1000.0)
        .take(64)
}

fn words(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.0}k", value / 1000.0),
        value if value >= 1.0 => format!("{value:.0}"),
        0.0 => "0".to_owned(),
        value => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_numbers() {
        for (about, step) in [
            (0.7, 1.0),
            (3.0, 5.0),
            (11.0, 20.0),
            (60.0, 100.0),
            (0.0, 1.0),
        ] {
            assert!((nice_step(about) - step).abs() < 1e-9, "{about}");
        }
        assert_eq!(steps(0.0, 10.0, 5.0).count(), 3);
    }

    #[test]
    fn each_nine_takes_as_much_room() {
        assert!((nines(0.9) - 1.0).abs() < 1e-9);
        assert!((nines(0.999) - 3.0).abs() < 1e-9);
    }
}
