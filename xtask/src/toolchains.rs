//! `cargo xtask toolchain`: which toolchains there are, and one of them as an archive.

mod export;

use std::fmt::Write as _;

use anyhow::Result;

use crate::cli::{self, Global, ToolchainCommand};
use crate::plan::Goal;
use crate::recipe::Toolchain;
use crate::report;
use crate::session::{Access, PREFERENCE, Session};
use crate::target::Target;

impl cli::Toolchain {
    /// Runs the command.
    pub fn run(self, global: Global) -> Result<()> {
        match self.command {
            ToolchainCommand::List(command) => {
                let session = Session::open(global, Access::Read)?;
                let target = session.target(&command.target)?;
                list(&session, &target)
            }
            ToolchainCommand::Export(command) => {
                let session = Session::open(global, Access::Write)?;
                export::run(&session, &command)
            }
        }
    }
}

/// Where a toolchain is for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Unpacked, or made.
    InStore,
    /// Its archive is here.
    Fetched,
    ToFetch,
    ToMake,
    /// It has no archive for the target.
    Unserved,
}

impl State {
    fn of(session: &Session, toolchain: &Toolchain, target: &Target) -> Self {
        let Ok(plan) = session.plan(Some(&toolchain.name), target, Goal::default()) else {
            return Self::Unserved;
        };
        let step = plan.toolchain();
        match (session.entry(step).exists(), toolchain.making.is_some()) {
            (true, _) => Self::InStore,
            (false, true) => Self::ToMake,
            (false, false) if session.is_here(step) => Self::Fetched,
            (false, false) => Self::ToFetch,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::InStore => "in the store",
            Self::Fetched => "fetched",
            Self::ToFetch => "to fetch",
            Self::ToMake => "to make",
            Self::Unserved => "no digest on record",
        }
    }
}

/// Prints one row for each toolchain, and which one would be chosen.
fn list(session: &Session, target: &Target) -> Result<()> {
    let chosen = session.plan(None, target, Goal::default()).ok();
    let mut text = String::new();
    for toolchain in session.recipes.toolchains.values() {
        let states: Vec<(&Target, State)> = session
            .recipes
            .targets
            .values()
            .map(|target| (target, State::of(session, toolchain, target)))
            .collect();
        let state = State::of(session, toolchain, target);
        let is_chosen = chosen.as_ref().is_some_and(|it| it.toolchain().name == toolchain.name);
        let why = why(toolchain, state, is_chosen);
        let of = |wanted: &dyn Fn(State) -> bool| -> Vec<&str> {
            let some = states.iter().filter(|(_, state)| wanted(*state));
            some.map(|(target, _)| target.triple.as_str()).collect()
        };
        let serves = of(&|state| state != State::Unserved);
        let in_store = of(&|state| state == State::InStore);
        report::event(
            "toolchain",
            serde_json::json!({
                "name": toolchain.name, "version": toolchain.version,
                "description": toolchain.description, "target": target.triple,
                "state": state.word(), "is_chosen": is_chosen, "why": why,
                "targets": serves, "targets_in_store": in_store,
            }),
        );
        let Toolchain { name, version, description, .. } = toolchain;
        let _ = writeln!(text, "{name} {version}: {}; {why}", state.word());
        let _ = writeln!(text, "    {description}");
        let all = states.len();
        let _ = writeln!(text, "    targets: {}", words(&serves, all));
        let _ = writeln!(text, "    in the store for: {}", words(&in_store, all));
    }
    report::data(format!("for {}:", target.triple));
    report::data(text.trim_end());
    Ok(())
}

fn words(triples: &[&str], all: usize) -> String {
    match triples.len() {
        0 => "none".to_owned(),
        count if count == all => format!("all {all} of recipes/targets.toml"),
        _ => triples.join(", "),
    }
}

fn why(toolchain: &Toolchain, state: State, is_chosen: bool) -> String {
    let name = &toolchain.name;
    let order = PREFERENCE.join(", ");
    match (is_chosen, state) {
        (_, State::Unserved) => "cannot be chosen for this target".to_owned(),
        (true, State::InStore | State::Fetched) => {
            format!("chosen where none is named: the first of {order} that is here")
        }
        (true, _) => format!(
            "tried first where none is named, as the first of {order}: if it cannot be fetched, the next"
        ),
        (false, _) if toolchain.making.is_some() => {
            format!("only with `--toolchain {name}`, since to make it takes very long")
        }
        (false, _) => format!("with `--toolchain {name}`: another one of {order} comes first"),
    }
}
