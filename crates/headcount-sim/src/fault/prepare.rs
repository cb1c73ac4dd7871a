//! What faults do before the provider answers.

use chrono::TimeDelta;

use super::{Fault, Side, Tweak};
use crate::exchange::Incoming;
use crate::gate::{Vendor, lock};
use crate::seed;
use crate::world::World;

/// Prepares the provider or the request; true when that was all, false when the fault has nothing to prepare
/// or is not done yet.
pub(crate) fn prepare(fault: &Fault, vendor: &dyn Vendor, incoming: &mut Incoming, draw: u64) -> bool {
    match *fault {
        Fault::TokenExpiredEarly => return vendor.expire(incoming),
        Fault::ClockSkew { seconds } => {
            incoming.tweak = Tweak::clock(TimeDelta::try_seconds(seconds).unwrap_or_default());
        }
        Fault::ShortPage => incoming.tweak = Tweak::short_page(),
        Fault::EmptyPageWithMarker if vendor.has_empty_pages(incoming) => {
            incoming.tweak = Tweak::empty_page()
        }
        Fault::WorldChange { remove, insert, side } if vendor.is_list(incoming) => {
            let mut world = lock(vendor.world(incoming));
            let place = vendor.place(incoming, &world).min(world.len());
            return change(&mut world, place, side, (remove, insert), draw);
        }
        _ => {}
    }
    false
}

/// Takes accounts away from one side of a place, and puts new ones there; true if anything came of it.
fn change(world: &mut World, place: usize, side: Side, (remove, insert): (usize, usize), draw: u64) -> bool {
    let rng = &mut seed::rng(draw, 1);
    let mut place = place;
    let mut changed = false;
    for _ in 0..remove {
        let side = match side {
            Side::Before => 0..place,
            Side::After => place..world.len(),
        };
        if side.is_empty() {
            break;
        }
        let before = side.end <= place;
        world.remove_at(rng.usize(side));
        place -= usize::from(before);
        changed = true;
    }
    for _ in 0..insert {
        let falls_there = |at: usize| (at < place) == (side == Side::Before);
        if !world.generate_at(falls_there) {
            break;
        }
        place += usize::from(side == Side::Before);
        changed = true;
    }
    changed
}
