//! The picture: `benches/results.svg`.

use std::{error::Error, path::PathBuf};

use plotters::{coord::Shift, prelude::*};

use super::lister::Way;

/// The figures that are drawn.
#[derive(Default)]
pub(crate) struct Figures {
    /// Accounts a second, of each provider.
    pub(crate) rates: Vec<(&'static str, Vec<(Way, f64)>)>,
    /// Seconds for a list, by the milliseconds that the server takes for a page.
    pub(crate) latency: Vec<(&'static str, Vec<(f64, f64)>)>,
    /// MiB at most, by the number of accounts.
    pub(crate) memory: Vec<(f64, f64)>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

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
    /// Draws all charts, if there are figures for all.
    pub(crate) fn draw(&self) {
        if self.rates.is_empty() || self.latency.is_empty() || self.memory.is_empty() {
            return;
        }
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches").join("results.svg");
        let root = SVGBackend::new(&path, SIZE).into_drawing_area();
        let draw = || -> Drawn {
            root.fill(&WHITE)?;
            let areas = root.split_evenly((1, 3));
            self.draw_rates(&areas[0])?;
            self.draw_latency(&areas[1])?;
            self.draw_memory(&areas[2])?;
            Ok(root.present()?)
        };
        if let Err(error) = draw() {
            eprintln!("{} can not be drawn: {error}", path.display());
        }
    }

    /// Bars, as high as what is listed in the time of the loop by hand; on them, thousands of accounts a second.
    fn draw_rates(&self, area: &Area<'_>) -> Drawn {
        let bars = self.rates.iter().enumerate().flat_map(|(provider, (_, rates))| {
            let by_hand = rates.iter().find(|(way, _)| *way == Way::ByHand).map_or(1.0, |(_, rate)| *rate);
            let width = 0.84 / float(rates.len());
            rates.iter().enumerate().map(move |(bar, (_, rate))| {
                let left = float(provider) + 0.08 + width * float(bar);
                (bar, left, left + width * 0.92, rate / by_hand, *rate)
            })
        });
        let bars: Vec<_> = bars.collect();
        let top = bars.iter().map(|bar| bar.3).fold(1.0, f64::max) * 1.6;
        let mut chart = ChartBuilder::on(area)
            .caption("How fast 100,000 accounts are listed", TITLE)
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
            .x_desc("on the bars: thousand accounts a second")
            .y_desc("times as fast as by hand")
            .max_light_lines(0)
            .axis_desc_style(TEXT)
            .label_style(TEXT)
            .draw()?;
        let ways = self.rates.first().map(|(_, rates)| rates.clone()).unwrap_or_default();
        for (way, (name, _)) in ways.iter().enumerate() {
            let colour = COLOURS[way % COLOURS.len()];
            let these = bars.iter().filter(|bar| bar.0 == way);
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

    fn draw_latency(&self, area: &Area<'_>) -> Drawn {
        let points = || self.latency.iter().flat_map(|(_, points)| points);
        let right = points().map(|point| point.0).fold(1.0, f64::max);
        let top = points().map(|point| point.1).fold(0.1, f64::max) * 1.35;
        let mut chart = ChartBuilder::on(area)
            .caption("Time against the server's latency", TITLE)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..right, 0.0..top)?;
        chart
            .configure_mesh()
            .x_desc("ms a page at the server (10 ms in the consumer)")
            .y_desc("s for 40 pages of SailPoint")
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

    fn draw_memory(&self, area: &Area<'_>) -> Drawn {
        let top = self.memory.iter().map(|point| point.1).fold(1.0, f64::max) * 1.5;
        let left = self.memory.iter().map(|point| point.0).fold(f64::INFINITY, f64::min);
        let right = self.memory.iter().map(|point| point.0).fold(1.0, f64::max);
        let mut chart = ChartBuilder::on(area)
            .caption("Memory against length", TITLE)
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
            .x_desc("accounts of Huawei, streamed with items()")
            .y_desc("MiB at most, of the process")
            .max_light_lines(0)
            .axis_desc_style(TEXT)
            .label_style(TEXT)
            .draw()?;
        let line = LineSeries::new(self.memory.iter().copied(), COLOURS[2].stroke_width(2)).point_size(3);
        chart.draw_series(line)?;
        Ok(())
    }
}

fn legend<'a, X, Y>(chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>) -> Drawn
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
