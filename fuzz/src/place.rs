//! Checkpoints that are nearly those of a list.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Value, json};

use crate::json::Json;

/// A list's own checkpoint with other things in it.
#[derive(Arbitrary, Debug)]
pub struct Saved {
    who: Who,
    version: Option<u16>,
    position: Position,
    /// How many rows of the page were yielded, and their digest.
    yielded: Option<(Number, u64)>,
    figures: [Option<Number>; 7],
    total_changed: Option<bool>,
    guard: Option<Guard>,
    /// Members that are put in the place of others.
    odd: Vec<(Member, Json)>,
}

/// Whose list it is.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Who {
    Fortanix,
    Huawei,
    Annature,
    AnnatureV1,
    SailPoint,
    SailPointErased,
    SailPointModified,
    SailPointEntitlements,
}

#[derive(Arbitrary, Debug)]
enum Position {
    Start,
    Done,
    Text(Id),
    Fortanix(Vec<Id>, Vec<(Option<Id>, Id)>, bool, [Number; 3], u8),
    Window(i64, Vec<Id>),
    SailPoint(Number, Option<Id>, Number, Option<Number>, bool, bool),
    Odd(Json),
}

#[derive(Arbitrary, Debug)]
struct Guard {
    mark: Option<Id>,
    steps: Number,
    limit: Number,
    found: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Member {
    ListingId,
    Position,
    Cursor,
    Yielded,
    Tally,
    Doubts,
    Guard,
    Version,
    Unknown,
}

/// A number near one of the ends.
#[derive(Clone, Copy, Debug)]
struct Number(u64);

impl<'a> Arbitrary<'a> for Number {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let near = u64::from(u8::arbitrary(input)?);
        let ends = [near, near, u64::MAX - near, u64::from(u32::MAX) + near, i64::MAX as u64 - 100 + near];
        input.choose(&ends).copied().map(Self)
    }
}

/// An id that one of the accounts has, or none.
#[derive(Arbitrary, Clone, Debug)]
enum Id {
    Known(u8),
    Other(String),
}

impl Id {
    fn text(&self) -> String {
        match self {
            Self::Known(number) => format!("00000000-0000-0000-0000-{:012}", number % 5),
            Self::Other(text) => text.clone(),
        }
    }
}

fn texts(ids: &[Id]) -> Vec<String> {
    ids.iter().map(Id::text).collect()
}

impl Position {
    fn json(&self) -> Value {
        let cursor = match self {
            Self::Start => return json!({"state": "start"}),
            Self::Done => return json!({"state": "done"}),
            Self::Text(id) => json!(id.text()),
            Self::Fortanix(tail, ahead, whole, [nameless, longest, left], order) => {
                let ahead =
                    ahead.iter().map(|(before, id)| json!([before.as_ref().map(Id::text), id.text()]));
                let direction = |at: u8| ["unknown", "rising", "falling", "neither"][usize::from(at % 4)];
                json!({
                    "tail": texts(tail), "ahead": ahead.collect::<Vec<_>>(), "whole": whole, "nameless": nameless.0,
                    "longest": longest.0, "left": left.0, "ids": direction(*order), "created": direction(order / 4),
                })
            }
            Self::Window(seconds, seen) => {
                let date = chrono::DateTime::from_timestamp(*seconds, 0).map(|date| date.to_rfc3339());
                json!({"before": date, "seen": texts(seen)})
            }
            Self::SailPoint(offset, last_id, after, total, predicted, unordered) => json!({
                "offset": offset.0, "last_id": last_id.as_ref().map(Id::text), "after": after.0,
                "total": total.map(|total| total.0), "predicted": predicted, "unordered": unordered,
            }),
            Self::Odd(json) => serde_json::from_str(&json.0).unwrap_or_default(),
        };
        json!({"state": "at", "cursor": cursor})
    }
}

impl Saved {
    pub fn who(&self) -> Who {
        self.who
    }

    /// The checkpoint `own` of a list with this in it.
    pub fn text(&self, own: &str) -> String {
        let mut saved: Value = serde_json::from_str(own).unwrap_or_default();
        saved["position"] = self.position.json();
        if let Some(version) = self.version {
            saved["v"] = version.into();
        }
        if let Some((rows, digest)) = self.yielded {
            saved["yielded"] = json!({"rows": rows.0, "digest": digest});
        }
        if let Some(changed) = self.total_changed {
            saved["tally"]["total_changed"] = changed.into();
        }
        let names = ["pages", "items", "rejected", "repeats_at_most", "duplicates", "first_total", "total"];
        for (name, figure) in names.iter().zip(self.figures) {
            if let Some(figure) = figure {
                saved["tally"][*name] = figure.0.into();
            }
        }
        if let Some(guard) = &self.guard {
            let mark = guard.mark.as_ref().map(Id::text);
            saved["guard"] =
                json!({"mark": mark, "steps": guard.steps.0, "limit": guard.limit.0, "found": guard.found});
        }
        for (member, json) in self.odd.iter().take(4) {
            let value: Value = serde_json::from_str(&json.0).unwrap_or_default();
            match member {
                Member::ListingId => saved["listing"] = value,
                Member::Position => saved["position"] = value,
                Member::Cursor if saved["position"].is_object() => saved["position"]["cursor"] = value,
                Member::Yielded => saved["yielded"] = value,
                Member::Tally => saved["tally"] = value,
                Member::Doubts if saved["tally"].is_object() => saved["tally"]["doubts"] = value,
                Member::Guard => saved["guard"] = value,
                Member::Version => saved["v"] = value,
                Member::Unknown => saved["later"] = value,
                Member::Cursor | Member::Doubts => {}
            }
        }
        saved.to_string()
    }
}
