//! A bill as CycloneDX 1.6, in JSON: <https://cyclonedx.org/docs/1.6/json/>. It has no time, and its
//! serial number is made of what it says.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::{Bill, Component, Role};
use crate::digest::Digest;
use crate::linked::Archive;

/// A program that was made of the components.
pub struct Program<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its SHA-256.
    pub sha256: String,
    /// The archives that are in it.
    pub linked: &'a [Archive],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    bom_format: &'static str,
    spec_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    version: u32,
    metadata: Metadata,
    components: Vec<Part>,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Metadata {
    lifecycles: [BTreeMap<&'static str, &'static str>; 1],
    tools: Tools,
    component: Part,
}

#[derive(Serialize)]
struct Tools {
    components: [Part; 1],
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Part {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bom_ref: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<BTreeMap<&'static str, String>>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(rename = "externalReferences", skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Self>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    comment: String,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    of: String,
    depends_on: Vec<String>,
}

impl Bill {
    /// The document. Without programs, a library of the sysroot is taken for linked.
    pub fn cyclonedx(&self, target: Option<&str>, programs: &[Program<'_>]) -> Result<String> {
        let names: Vec<String> = self.components.iter().map(name).collect();
        let parts = self.components.iter().zip(&names);
        let mut parts: Vec<Part> = parts.map(|(it, name)| part(it, name, programs)).collect();
        let mut root = if parts.is_empty() { Part::default() } else { parts.remove(0) };
        root.kind = "application";
        let target = target.map(|it| Property { name: "muslin:target", value: it.to_owned() });
        root.properties.extend(target);
        root.components = programs.iter().map(|it| program(it, &root.name)).collect();
        parts.sort_by(|a, b| a.bom_ref.cmp(&b.bom_ref));
        let mut dependencies: Vec<Dependency> = self
            .components
            .iter()
            .zip(&names)
            .map(|(component, name)| {
                let mut depends_on: Vec<_> =
                    component.needs.iter().map(|need| names[*need].clone()).collect();
                depends_on.sort();
                Dependency { of: name.clone(), depends_on }
            })
            .collect();
        dependencies.sort_by(|a, b| a.of.cmp(&b.of));
        let muslin = Part {
            kind: "application",
            name: "muslin".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..Part::default()
        };
        let mut document = Document {
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: None,
            version: 1,
            metadata: Metadata {
                lifecycles: [BTreeMap::from([("phase", "build")])],
                tools: Tools { components: [muslin] },
                component: root,
            },
            components: parts,
            dependencies,
        };
        document.serial_number = Some(serial_number(&serde_json::to_vec(&document)?));
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }
}

/// A UUID of version 8, whose bits are whoever makes it chooses: here the content's digest.
fn serial_number(content: &[u8]) -> String {
    let digits = Digest::sha256_of(content).hex();
    let at = |from: usize, to: usize| &digits[from..to];
    format!("urn:uuid:{}-{}-8{}-a{}-{}", at(0, 8), at(8, 12), at(12, 15), at(15, 18), at(18, 30))
}

/// By what others of the document name a component. Two crates may bring the same library.
fn name(component: &Component) -> String {
    match &component.inside {
        Some(inside) => format!("{}#{}", component.purl, inside.replace(' ', "@")),
        None => component.purl.clone(),
    }
}

fn part(component: &Component, name: &str, programs: &[Program<'_>]) -> Part {
    let is_in = |program: &&Program<'_>| component.is_among(program.linked);
    let inside: Vec<&str> = programs.iter().filter(is_in).map(|it| it.name).collect();
    let is_elsewhere = component.is_seen_by_linker() && inside.is_empty() && !programs.is_empty();
    let is_tool = component.role == Role::Tool;
    let mut properties =
        vec![Property { name: "muslin:role", value: component.role.words().into() }];
    let linked = (!inside.is_empty()).then(|| inside.join(", "));
    let facts = [("muslin:inside", component.inside.clone()), ("muslin:linked-into", linked)];
    let facts =
        facts.into_iter().filter_map(|(name, value)| Some(Property { name, value: value? }));
    properties.extend(facts);
    let origin = component.origin.iter().map(|origin| Reference {
        kind: "source-distribution",
        url: origin.url.clone(),
        comment: origin.words.clone(),
    });
    Part {
        kind: if is_tool { "application" } else { "library" },
        bom_ref: Some(name.to_owned()),
        authors: component.authors.iter().map(|it| author(it)).collect(),
        name: component.name.clone(),
        version: component.version.clone(),
        scope: Some(if is_tool || is_elsewhere { "excluded" } else { "required" }),
        hashes: component.sha256.iter().map(|it| hash(it.clone())).collect(),
        licenses: license(component).into_iter().collect(),
        cpe: component.cpe.clone(),
        purl: Some(component.purl.clone()),
        external_references: origin.collect(),
        properties,
        components: Vec::new(),
    }
}

fn program(program: &Program<'_>, package: &str) -> Part {
    Part {
        kind: "application",
        bom_ref: Some(format!("program:{package}/{}", program.name)),
        name: program.name.to_owned(),
        hashes: vec![hash(program.sha256.clone())],
        ..Part::default()
    }
}

fn hash(content: String) -> Hash {
    Hash { alg: "SHA-256", content }
}

/// `Name <address>`: only the name, since the document goes where the address was not meant to.
fn author(text: &str) -> BTreeMap<&'static str, String> {
    let name = text.split('<').next().unwrap_or_default().trim();
    BTreeMap::from([("name", if name.is_empty() { text.to_owned() } else { name.to_owned() })])
}

fn license(component: &Component) -> Option<BTreeMap<&'static str, String>> {
    let license = component.license.as_ref()?;
    Some(BTreeMap::from([("expression", license.clone())]))
}
