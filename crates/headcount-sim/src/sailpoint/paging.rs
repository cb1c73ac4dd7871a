//! Pages by `offset`, as all listings have them.

use std::ops::Range;

use super::builder::{Rules, SailPointPastEnd};
use super::refusal::Refusal;
use crate::exchange::{Incoming, Reply};

const MAX_LIMIT: usize = 250;
/// Offsets are 32-bit integers; no other maximum is documented.
const MAX_OFFSET: usize = 0x7FFF_FFFF;

/// A page as it was asked for.
#[derive(Debug)]
pub(crate) struct Paging {
    limit: usize,
    offset: usize,
    count: bool,
}

impl Paging {
    /// The error is for the caller to read.
    pub(crate) fn new(incoming: &Incoming) -> Result<Self, String> {
        let number = |name: &str, default: usize, max: usize| match incoming.value(name) {
            None => Ok(default),
            Some(text) => {
                let number = text.parse::<i32>().ok().and_then(|number| usize::try_from(number).ok());
                let number = number.filter(|number| *number <= max);
                number.ok_or_else(|| format!("{name} must be a whole number from 0 to {max}, not {text:?}"))
            }
        };
        let count = match incoming.value("count") {
            None | Some("false") => false,
            Some("true") => true,
            Some(text) => return Err(format!("count must be true or false, not {text:?}")),
        };
        let limit = number("limit", MAX_LIMIT, MAX_LIMIT)?;
        Ok(Self { limit, offset: number("offset", 0, MAX_OFFSET)?, count })
    }

    /// The offsets of the page in a listing of `total` rows; it may end beyond them.
    pub(crate) fn page(&self, rules: &Rules, total: usize) -> Result<Range<usize>, Refusal> {
        let past_end = self.offset > 0 && self.offset >= total;
        if past_end && rules.past_end == SailPointPastEnd::BadRequest {
            return Err(Refusal::OffsetPastEnd);
        }
        let rows = self.rows(rules, total.saturating_sub(self.offset));
        Ok(self.offset..self.offset.saturating_add(rows))
    }

    /// The answer with the count, if it was asked for.
    pub(crate) fn counted(&self, reply: Reply, total: usize) -> Reply {
        if self.count { reply.with("x-total-count", &total.to_string()) } else { reply }
    }

    /// How many rows the page may hold, which is less than asked for where the builder says so.
    fn rows(&self, rules: &Rules, left: usize) -> usize {
        let page = self.offset.checked_div(self.limit).unwrap_or(0) + 1;
        let falls_on = rules.short_page_every.is_some_and(|n| page.is_multiple_of(n));
        if !falls_on || left <= self.limit || self.limit < 2 {
            return self.limit;
        }
        self.limit - (self.limit / 50).clamp(1, 4)
    }
}
