//! The charts in `benches/results.svg`.

use std::{error::Error, path::PathBuf};

use plotters::{coord::Shift, prelude::*};

use super::lister::Method;

/// The data of the charts.
#[derive(Default)]
pub(crate) struct Figures {
    /// Accounts per second, by provider and method.
    pub(crate) rates: Vec<(&'static str, Vec<(Method, f64)>)>,
    /// Seconds per listing, by the server's latency in milliseconds.
    pub(crate) latency: Vec<(&'static str, Vec<(f64, f64)>)>,
    /// Peak memory in MiB, by the number of accounts.
    pub(crate) memory: Vec<(f64, f64)>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawResult = Result<(), Box<dyn Error>>;

const SIZE: (u32, u32) = (1380, 420);
const COLOURS: [RGBColor; 5] = [
    RGBColor(190, 190, 190),
    RGBColor(110, 110, 110),
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
];
const TEXT: (&str, i32) = ("sans-serif", 13);
const TITLE: (&str, i32) = ("sans-serif", 17);

impl Figures {
    /// Draws all charts, if there is data for all.
    pub(crate) fn draw(&self) {
        if self.rates.is_empty() || self.latency.is_empty() || self.memory.is_empty() {
            return;
        }
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches").join("results.svg");
        let root = SVGBackend::new(&path, SIZE).into_drawing_area();
        let draw = || -> DrawResult {
            root.fill(&WHITE)?;
            let areas = root.split_evenly((1, 3));
            self.draw_rates(&areas[0])?;
            self.draw_latency(&areas[1])?;
            self.draw_memory(&areas[2])?;
            Ok(root.present()?)
        };
        if let Err(error) = draw() {
            eprintln!("failed to draw {}: {error}", path.display());
        }
    }

    /// Draws bars with the speed relative to the hand-written loop, labelled with thousands of accounts per
    /// second.
    fn draw_rates(&self, area: &Area<'_>) -> DrawResult {
        let bars = self.rates.iter().enumerate().flat_map(|(provider, (_, rates))| {
            let by_hand =
                rates.iter().find(|(method, _)| *method == Method::ByHand).map_or(1.0, |(_, rate)| *rate);
            let width = 0.84 / float(rates.len());
            rates.iter().enumerate().map(move |(bar, (_, rate))| {
                let left = float(provider) + 0.08 + width * float(bar);
                (bar, left, left + width * 0.92, rate / by_hand, *rate)
            })
        });
        let bars: Vec<_> = bars.collect();
        let top = bars.iter().map(|bar| bar.3).fold(1.0, f64::max) * 1.6;
        let mut chart = ChartBuilder::on(area)
            .caption("Speed of listing 100,000 accounts", TITLE)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..float(self.rates.len()), 0.0..top)?;
        let name = |at: &f64| {
            let of = |(provider, _): &(usize, &(&str, _))| (at - float(*provider) - 0.5).abs() < 0.01;
            let found = self.rates.iter().enumerate().find(of);
            found.map_or(String::new(), |(_, (name, _))| (*name).to_owned())
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(5)
            .x_label_formatter(&name)
            .x_desc("labels: thousand accounts per second")
            .y_desc("speed relative to by hand")
            .max_light_lines(0)
            .axis_desc_style(TEXT)
            .label_style(TEXT)
            .draw()?;
        let methods = self.rates.first().map(|(_, rates)| rates.clone()).unwrap_or_default();
        for (method, (name, _)) in methods.iter().enumerate() {
            let colour = COLOURS[method % COLOURS.len()];
            let these = bars.iter().filter(|bar| bar.0 == method);
            let shapes = these.map(|(_, left, right, height, _)| {
                Rectangle::new([(*left, 0.0), (*right, *height)], colour.filled())
            });
            chart
                .draw_series(shapes)?
                .label(name.name().replace('`', ""))
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
        }
        let texts = bars.iter().map(|(_, left, _, height, rate)| {
            let thousand = format!("{:.0}", rate / 1000.0);
            Text::new(thousand, (*left, height + top * 0.04), TEXT)
        });
        chart.draw_series(texts)?;
        legend(&mut chart)
    }

    fn draw_latency(&self, area: &Area<'_>) -> DrawResult {
        let points = || self.latency.iter().flat_map(|(_, points)| points);
        let right = points().map(|point| point.0).fold(1.0, f64::max);
        let top = points().map(|point| point.1).fold(0.1, f64::max) * 1.35;
        let mut chart = ChartBuilder::on(area)
            .caption("Time by server latency", TITLE)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..right, 0.0..top)?;
        chart
            .configure_mesh()
            .x_desc("server latency, ms per page (consumer: 10 ms)")
            .y_desc("s for 40 SailPoint pages")
            .max_light_lines(0)
            .axis_desc_style(TEXT)
            .label_style(TEXT)
            .draw()?;
        for ((name, points), colour) in self.latency.iter().zip(COLOURS.into_iter().skip(2)) {
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], colour.stroke_width(2)));
        }
        legend(&mut chart)
    }

    fn draw_memory(&self, area: &Area<'_>) -> DrawResult {
        let top = self.memory.iter().map(|point| point.1).fold(1.0, f64::max) * 1.5;
        let left = self.memory.iter().map(|point| point.0).fold(f64::INFINITY, f64::min);
        let right = self.memory.iter().map(|point| point.0).fold(1.0, f64::max);
        let mut chart = ChartBuilder::on(area)
            .caption("Memory by length", TITLE)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d((left..right).log_scale(), 0.0..top)?;
        let thousands = |count: &f64| {
            if *count < 1e6 { format!("{:.0} k", count / 1e3) } else { format!("{:.0} M", count / 1e6) }
        };
        chart
            .configure_mesh()
            .x_labels(self.memory.len())
            .x_label_formatter(&thousands)
            .x_desc("Huawei accounts, streamed with items()")
            .y_desc("peak memory of the process, MiB")
            .max_light_lines(0)
            .axis_desc_style(TEXT)
            .label_style(TEXT)
            .draw()?;
        let line = LineSeries::new(self.memory.iter().copied(), COLOURS[2].stroke_width(2)).point_size(3);
        chart.draw_series(line)?;
        Ok(())
    }
}

fn legend<'a, X, Y>(chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>) -> DrawResult
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(TEXT)
        .draw()?;
    Ok(())
}

fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
