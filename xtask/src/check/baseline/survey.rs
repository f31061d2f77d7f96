//! Goes through all code of a program once, instruction by instruction.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Program;
use super::x86::{Features, Reference, decode};
use crate::linked::{Piece, Pieces};

/// A function that takes more than the baseline.
#[derive(Clone, Debug)]
pub struct Raised {
    /// Whose it is, in the list of owners.
    pub owner: usize,
    /// Its name in the map.
    pub name: String,
    /// Where it is.
    pub range: Range<u64>,
    /// What it takes above the baseline.
    pub needs: Features,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Survey {
    /// The functions that take more, by address.
    pub raised: Vec<Raised>,
    /// Whose C code asks the CPU what it has.
    pub asking: BTreeSet<String>,
    /// Where calls and jumps go that leave their own piece, and whose they are.
    calls: Vec<(u64, usize)>,
    /// Places in memory that code names, and whose code: of a function, or of its address.
    places: Vec<(u64, usize)>,
}

impl Survey {
    /// An owner of another library that calls a function directly.
    pub fn caller_from_outside(&self, raised: &Raised, pieces: &Pieces) -> Option<usize> {
        let of = |owner: usize| &pieces.owners[owner].from;
        let first = self.calls.partition_point(|(target, _)| *target < raised.range.start);
        let calls = self.calls[first..].iter();
        let mut here = calls.take_while(|(target, _)| *target < raised.range.end);
        here.find(|(_, caller)| of(*caller) != of(raised.owner)).map(|(_, caller)| *caller)
    }
}

/// Goes through the pieces that are code.
pub fn of(program: &Program<'_>, pieces: &Pieces, is_64: bool, allowed: Features) -> Survey {
    let mut survey = Survey::default();
    for piece in &pieces.pieces {
        let Some(code) = program.code(&piece.range) else { continue };
        survey.go_through(piece, code, pieces, is_64, allowed);
    }
    survey.resolve_places(program);
    survey.calls.sort_unstable();
    survey
}

impl Survey {
    fn go_through(
        &mut self,
        piece: &Piece,
        code: &[u8],
        pieces: &Pieces,
        is_64: bool,
        allowed: Features,
    ) {
        let owner = &pieces.owners[piece.owner];
        // Data between functions may look like anything, so each begins anew.
        let mut bounds = vec![(piece.range.start, owner.object.as_str())];
        for (address, name) in &piece.symbols {
            match bounds.last_mut() {
                Some(last) if last.0 == *address => last.1 = name,
                _ => bounds.push((*address, name)),
            }
        }
        for (index, (start, name)) in bounds.iter().enumerate() {
            let end = bounds.get(index + 1).map_or(piece.range.end, |next| next.0);
            let place = |address: u64| usize::try_from(address - piece.range.start).ok();
            let Some((from, to)) = place(*start).zip(place(end)) else { continue };
            let mut needs = Features::NONE;
            let mut at = from;
            while at < to {
                let Some(it) = decode(&code[at..], is_64) else {
                    at += 1;
                    continue;
                };
                at += it.length;
                needs = needs.and(it.needs);
                if it.asks && !owner.is_rust {
                    self.asking.insert(owner.from.clone());
                }
                let from = piece.range.start + at as u64;
                match it.refers {
                    None => {}
                    Some(Reference::Place(distance)) => {
                        let place = from.wrapping_add_signed(distance.into());
                        self.places.push((place, piece.owner));
                    }
                    Some(Reference::Code(distance)) => {
                        let target = from.wrapping_add_signed(distance.into());
                        let target = if is_64 { target } else { target & u64::from(u32::MAX) };
                        if !piece.range.contains(&target) {
                            self.calls.push((target, piece.owner));
                        }
                    }
                }
            }
            let needs = needs.without(allowed);
            if !needs.is_empty() {
                let (name, range) = ((*name).to_owned(), *start..end);
                self.raised.push(Raised { owner: piece.owner, name, range, needs });
            }
        }
    }
}

impl Survey {
    /// Makes calls of places in memory that are a function which takes more, or hold the address of
    /// one: rustc calls C code by a table of addresses.
    fn resolve_places(&mut self, program: &Program<'_>) {
        if self.raised.is_empty() {
            return;
        }
        let takes_more = |address: u64| {
            let next = self.raised.partition_point(|raised| raised.range.start <= address);
            next.checked_sub(1).is_some_and(|index| self.raised[index].range.contains(&address))
        };
        let mut known: BTreeMap<u64, Option<u64>> = BTreeMap::new();
        for (place, owner) in &self.places {
            let target = *known.entry(*place).or_insert_with(|| {
                let held = program.word(*place);
                [Some(*place), held].into_iter().flatten().find(|address| takes_more(*address))
            });
            self.calls.extend(target.map(|target| (target, *owner)));
        }
    }
}

/// What all code together takes, and whether any asks the CPU what it has.
pub fn whole(program: &Program<'_>, ranges: &[Range<u64>], is_64: bool) -> (Features, bool) {
    let (mut needs, mut asks) = (Features::NONE, false);
    for code in ranges.iter().filter_map(|range| program.code(range)) {
        let mut at = 0;
        while at < code.len() {
            let Some(it) = decode(&code[at..], is_64) else {
                at += 1;
                continue;
            };
            at += it.length;
            needs = needs.and(it.needs);
            asks |= it.asks;
        }
    }
    (needs, asks)
}
