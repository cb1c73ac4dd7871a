//! `sorters=type,-modified`: fields in order, a minus for descending.

use std::cmp::Ordering;

use super::api::Api;
use super::field::{Datum, Field};
use crate::world::World;

/// An order asked for; true is descending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorters(Vec<(Field, bool)>);

impl Sorters {
    /// The error is for the caller to read.
    pub(crate) fn parse(text: &str, api: Api) -> Result<Self, String> {
        let one = |part: &str| {
            let name = part.strip_prefix('-').unwrap_or(part);
            let field = Field::parse(name).filter(|field| api.sorts_by(*field));
            match field {
                Some(field) => Ok((field, part.starts_with('-'))),
                None => Err(format!("the sort property {name:?} is not supported")),
            }
        };
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is the order in which the world is kept, or that one backwards.
    pub(crate) fn by_id(&self) -> Option<bool> {
        match self.0.first() {
            Some((Field::Id, descending)) => Some(*descending),
            _ => None,
        }
    }

    /// Whether ids are among the sorters, so that there are no ties.
    pub(crate) fn is_total(&self) -> bool {
        self.0.iter().any(|(field, _)| *field == Field::Id)
    }

    /// The positions in this order; ties by position, ascending or descending.
    pub(crate) fn sort(&self, world: &World, positions: &[usize], ties_descending: bool) -> Vec<usize> {
        let cells = |position: usize| -> Vec<Datum> {
            let record = world.at(position);
            self.0.iter().map(|(field, _)| field.of(&record)).collect()
        };
        let mut rows: Vec<(Vec<Datum>, usize)> = positions.iter().map(|at| (cells(*at), *at)).collect();
        rows.sort_by(|one, two| {
            let cells = self.0.iter().zip(one.0.iter().zip(&two.0));
            let differs = cells.map(|((_, descending), (one, two))| directed(one.cmp(two), *descending));
            differs.fold(Ordering::Equal, Ordering::then).then(directed(one.1.cmp(&two.1), ties_descending))
        });
        rows.into_iter().map(|(_, position)| position).collect()
    }
}

fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorters_are_a_list_of_known_fields() {
        assert_eq!(
            Sorters::parse("name,-created", Api::V3),
            Ok(Sorters(vec![(Field::Name, false), (Field::Created, true)]))
        );
        assert!(Sorters::parse("hasEntitlements,sourceOwner.name", Api::Beta).is_ok());
        for wrong in ["", "id,", "-", "identity.id", "attributes.mail", "hasEntitlements", "id asc"] {
            assert!(Sorters::parse(wrong, Api::V2025).is_err(), "{wrong}");
        }
    }
}
