//! How an image starts, and as whom.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::Order;
use super::root::PROGRAMS;
use crate::archive::Owner;
use crate::exit::{Exit, Failure};
use crate::links::{Package, Port};
use crate::oci::Platform;
use crate::session::Project;

/// The number that others' minimal images give to their user without rights, too.
const NOBODY: u32 = 65532;

/// What such a user is called, if only its number is named.
const NOBODY_NAME: &str = "nonroot";

/// Who an image runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    name: String,
    owner: Owner,
}

impl User {
    /// As the manifest says: a name, a number, or the numbers of a user and a group.
    pub fn of(project: &Project) -> Result<Self> {
        let Some(said) = project.wanted.image.user.as_deref() else {
            let owner = Owner { user: NOBODY, group: NOBODY };
            return Ok(Self { name: NOBODY_NAME.to_owned(), owner });
        };
        let (user, group) = said.split_once(':').unwrap_or((said, said));
        let is_name = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
                && word.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it))
        };
        let owner = match (user.parse(), group.parse()) {
            (Ok(user), Ok(group)) => Owner { user, group },
            (Err(_), _) if user == group && is_name(user) => {
                let number = if user == "root" { 0 } else { NOBODY };
                return Ok(Self {
                    name: user.to_owned(),
                    owner: Owner { user: number, group: number },
                });
            }
            _ => {
                let place = project.manifest.display();
                let message = format!("`image.user` in {place} is `{said}`, which is no user");
                return Err(Failure::new(Exit::Usage, message)
                    .help("a name (`app`), a number (`1000`) or two (`1000:1000`)")
                    .into());
            }
        };
        let name = if owner.user == 0 { "root" } else { NOBODY_NAME };
        Ok(Self { name: name.to_owned(), owner })
    }

    /// Its numbers.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    fn is_root(&self) -> bool {
        self.owner.user == 0
    }

    /// `/etc/passwd`.
    pub fn passwd(&self) -> String {
        let root = "root:x:0:0:root:/:/sbin/nologin\n";
        let Self { name, owner: Owner { user, group } } = self;
        match self.is_root() {
            true => root.to_owned(),
            false => format!("{root}{name}:x:{user}:{group}:{name}:/:/sbin/nologin\n"),
        }
    }

    /// `/etc/group`.
    pub fn group(&self) -> String {
        let Self { name, owner: Owner { group, .. } } = self;
        match group {
            0 => "root:x:0:\n".to_owned(),
            _ => format!("root:x:0:\n{name}:x:{group}:\n"),
        }
    }
}

/// The image's configuration, without its layers.
pub fn of(order: &Order<'_>, platform: &Platform, user: &User) -> Result<Value> {
    let wishes = &order.project.wanted.image;
    let package = &order.project.package;
    let mut env = BTreeMap::from([("PATH", format!("/{PROGRAMS}"))]);
    env.extend(wishes.env.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let env: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let entrypoint = match &wishes.entrypoint[..] {
        [] => vec![format!("/{PROGRAMS}/{}", program(order)?)],
        said => said.to_vec(),
    };
    let Owner { user, group } = user.owner();
    let mut config = json!({
        "User": format!("{user}:{group}"),
        "Env": env,
        "Entrypoint": entrypoint,
        "Labels": labels(package, &wishes.labels),
    });
    if !wishes.command.is_empty() {
        config["Cmd"] = json!(wishes.command);
    }
    let set = |names: Vec<String>| -> Value {
        names.into_iter().map(|name| (name, json!({}))).collect::<serde_json::Map<_, _>>().into()
    };
    if !wishes.ports.is_empty() {
        config["ExposedPorts"] = set(wishes.ports.iter().map(port).collect::<Result<_>>()?);
    }
    if !wishes.volumes.is_empty() {
        config["Volumes"] = set(wishes.volumes.clone());
    }
    if let Some(folder) = &wishes.workdir {
        config["WorkingDir"] = json!(folder);
    }
    if let Some(signal) = &wishes.stop_signal {
        config["StopSignal"] = json!(signal);
    }
    let mut whole = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": platform.architecture,
        "os": platform.os,
        "config": config,
    });
    if let Some(variant) = &platform.variant {
        whole["variant"] = json!(variant);
    }
    Ok(whole)
}

/// The program that is started: what `cargo run` would run, else the package's namesake, else the only
/// one.
fn program<'a>(order: &'a Order<'_>) -> Result<&'a str> {
    let package = &order.project.package;
    let names: Vec<&str> = order.programs.iter().map(|(name, _)| *name).collect();
    let preferred = package.default_run.iter().chain([&package.name]).map(String::as_str);
    match (preferred.into_iter().find(|name| names.contains(name)), &names[..]) {
        (Some(name), _) => Ok(names.iter().find(|it| **it == name).copied().unwrap_or_default()),
        (None, [only]) => Ok(only),
        (None, _) => {
            let place = order.project.manifest.display();
            let message =
                format!("which program the image starts is not clear: {}", names.join(", "));
            Err(Failure::new(Exit::Usage, message)
                .help(format!("`default-run` in {place}, or `image.entrypoint`, names it"))
                .into())
        }
    }
}

fn port(port: &Port) -> Result<String> {
    match port {
        Port::Number(number) => Ok(format!("{number}/tcp")),
        Port::Text(text) => {
            let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
            if number.parse::<u16>().is_err() || !["tcp", "udp", "sctp"].contains(&protocol) {
                let message = format!("`image.ports` has `{text}`, which is no port");
                return Err(Failure::new(Exit::Usage, message)
                    .help("ports are numbers, `8080`, or texts with a protocol, `\"53/udp\"`")
                    .into());
            }
            Ok(format!("{number}/{protocol}"))
        }
    }
}

/// What Cargo.toml says, under the names that the OCI image specification has for it, and what the
/// manifest adds.
fn labels(package: &Package, more: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let authors = (!package.authors.is_empty()).then(|| package.authors.join(", "));
    let said = [
        ("title", Some(package.name.clone())),
        ("version", Some(package.version.clone())),
        ("description", package.description.clone()),
        ("licenses", package.license.clone()),
        ("url", package.homepage.clone()),
        ("source", package.repository.clone()),
        ("documentation", package.documentation.clone()),
        ("authors", authors),
    ];
    let named = |(key, value): (&str, Option<String>)| {
        Some((format!("org.opencontainers.image.{key}"), value?))
    };
    let mut labels: BTreeMap<_, _> = said.into_iter().filter_map(named).collect();
    labels.extend(more.clone());
    labels
}
