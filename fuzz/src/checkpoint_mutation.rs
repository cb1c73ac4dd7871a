//! Mutations of valid checkpoints.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Value, json};

use crate::json::Json;

/// Changes of a list's own checkpoint.
#[derive(Arbitrary, Debug)]
pub struct CheckpointMutation {
    listing: ListingKind,
    version: Option<u16>,
    position: Position,
    /// The number of rows of the page that were yielded, and their digest.
    yielded: Option<(Number, u64)>,
    counters: [Option<Number>; 7],
    total_changed: Option<bool>,
    cycles: Option<Cycles>,
    /// Members that are replaced by arbitrary JSON.
    replacements: Vec<(Member, Json)>,
}

/// The listing that the checkpoint belongs to.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum ListingKind {
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
struct Cycles {
    anchor: Option<Id>,
    steps: Number,
    limit: Number,
    detected: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Member {
    ListingId,
    Position,
    Cursor,
    Yielded,
    Counters,
    Reasons,
    Cycles,
    Version,
    Unknown,
}

/// A number near a boundary of an integer type.
#[derive(Clone, Copy, Debug)]
struct Number(u64);

impl<'a> Arbitrary<'a> for Number {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let near = u64::from(u8::arbitrary(input)?);
        let candidates =
            [near, near, u64::MAX - near, u64::from(u32::MAX) + near, i64::MAX as u64 - 100 + near];
        input.choose(&candidates).copied().map(Self)
    }
}

/// The id of an existing account, or any text.
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
                    "tail": texts(tail), "ahead": ahead.collect::<Vec<_>>(), "complete": whole, "trailing_without_id": nameless.0,
                    "longest_page": longest.0, "remaining": left.0, "ids": direction(*order), "created": direction(order / 4),
                })
            }
            Self::Window(seconds, seen) => {
                let date = chrono::DateTime::from_timestamp(*seconds, 0).map(|date| date.to_rfc3339());
                json!({"before": date, "previous_ids": texts(seen)})
            }
            Self::SailPoint(offset, last_id, after, total, predicted, unordered) => json!({
                "offset": offset.0, "last_id": last_id.as_ref().map(Id::text), "trailing_without_id": after.0,
                "total": total.map(|total| total.0), "predicted": predicted, "unordered": unordered,
            }),
            Self::Odd(json) => serde_json::from_str(&json.0).unwrap_or_default(),
        };
        json!({"state": "at", "cursor": cursor})
    }
}

impl CheckpointMutation {
    pub fn listing(&self) -> ListingKind {
        self.listing
    }

    /// Applies the mutation to the checkpoint `original` of a list.
    pub fn apply(&self, original: &str) -> String {
        let mut saved: Value = serde_json::from_str(original).unwrap_or_default();
        saved["position"] = self.position.json();
        if let Some(version) = self.version {
            saved["v"] = version.into();
        }
        if let Some((rows, digest)) = self.yielded {
            saved["yielded"] = json!({"rows": rows.0, "digest": digest});
        }
        if let Some(changed) = self.total_changed {
            saved["counters"]["total_changed"] = changed.into();
        }
        let names = ["pages", "items", "rejected", "repeats_at_most", "duplicates", "first_total", "total"];
        for (name, counter) in names.iter().zip(self.counters) {
            if let Some(counter) = counter {
                saved["counters"][*name] = counter.0.into();
            }
        }
        if let Some(cycles) = &self.cycles {
            let anchor = cycles.anchor.as_ref().map(Id::text);
            saved["cycles"] = json!({
                "anchor": anchor, "steps": cycles.steps.0, "limit": cycles.limit.0, "detected": cycles.detected,
            });
        }
        for (member, json) in self.replacements.iter().take(4) {
            let value: Value = serde_json::from_str(&json.0).unwrap_or_default();
            match member {
                Member::ListingId => saved["listing"] = value,
                Member::Position => saved["position"] = value,
                Member::Cursor if saved["position"].is_object() => saved["position"]["cursor"] = value,
                Member::Yielded => saved["yielded"] = value,
                Member::Counters => saved["counters"] = value,
                Member::Reasons if saved["counters"].is_object() => saved["counters"]["reasons"] = value,
                Member::Cycles => saved["cycles"] = value,
                Member::Version => saved["v"] = value,
                Member::Unknown => saved["later"] = value,
                Member::Cursor | Member::Reasons => {}
            }
        }
        saved.to_string()
    }
}
