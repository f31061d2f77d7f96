//! Image layout → a registry of images, by the OCI distribution protocol 1.1.
//!
//! What is there already is not sent again, so a push that broke off goes on where it was. Nothing gets
//! its tag before all that belongs to it is there.

mod challenge;
mod credentials;
mod reference;

use std::cell::RefCell;
use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::blocking::{Body, Client, RequestBuilder, Response};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{StatusCode, Url};
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::fetch;
use crate::oci::{Blob, Descriptor, Document, INDEX, Layout, MANIFEST};
use crate::report::{self, human_bytes};

use challenge::Challenge;
use credentials::Credentials;
pub use reference::Reference;

/// For a blob, beside what its bytes take at the slowest.
const PATIENCE: Duration = Duration::from_secs(300);

/// Slower than this, a line carries no images.
const BYTES_PER_SECOND_MIN: u64 = 20_000;

/// More of an error's text helps nobody.
const SAID_CHARS: usize = 300;

/// A repository of a registry.
pub struct Repository {
    client: Client,
    base: Url,
    name: String,
    reference: Reference,
    credentials: Option<Credentials>,
    authorization: RefCell<Option<HeaderValue>>,
}

impl Repository {
    /// The one that a reference names, reached without encryption only on this machine, or if that is
    /// asked for.
    pub fn of(reference: &Reference, is_plain: bool) -> Result<Self> {
        let host = reference.host();
        let scheme = if is_plain || reference.is_here() { "http" } else { "https" };
        let base: Url = format!("{scheme}://{host}/v2/{}/", reference.repository)
            .parse()
            .with_context(|| format!("`{host}` is no host"))?;
        Ok(Self {
            client: fetch::client(&base).map_err(anyhow::Error::msg)?,
            base,
            name: format!("{}/{}", reference.registry, reference.repository),
            reference: reference.clone(),
            credentials: credentials::find(&reference.registry)?,
            authorization: RefCell::new(None),
        })
    }

    /// Sends an image and all that belongs to it, then gives it the reference's tag. Returns its
    /// digest.
    pub fn push(&self, layout: &Layout) -> Result<String> {
        let top = layout.blob(&layout.top)?;
        self.send_children(layout, top)?;
        self.send_manifest(top, &layout.top.media_type, &self.reference.tag)?;
        Ok(layout.top.digest.clone())
    }

    fn send_children(&self, layout: &Layout, parent: &Blob) -> Result<()> {
        for child in parent.document::<Document>()?.children() {
            let blob = layout.blob(child)?;
            if child.media_type == MANIFEST || child.media_type == INDEX {
                self.send_children(layout, blob)?;
                self.send_manifest(blob, &child.media_type, &child.digest)?;
            } else {
                self.send_blob(blob)?;
            }
        }
        Ok(())
    }

    /// Sends a blob, unless it is there.
    fn send_blob(&self, blob: &Blob) -> Result<()> {
        let Descriptor { digest, size, .. } = &blob.descriptor;
        let what = || format!("cannot send the blob {digest} to {}", self.name);
        let place = self.url(&format!("blobs/{digest}"))?;
        let there = self.ask(&|| Ok(self.client.head(place.clone()))).with_context(what)?;
        let size_text = human_bytes(*size);
        if there.status().is_success() || there.status().is_redirection() {
            report::detail("Fresh", format!("{digest} ({size_text})"));
            return Ok(());
        }
        report::status("Pushing", format!("{digest} ({size_text})"));
        let uploads = self.url("blobs/uploads/")?;
        let begun = self.ask(&|| Ok(self.client.post(uploads.clone()))).with_context(what)?;
        let begun = self.require(begun, StatusCode::ACCEPTED).with_context(what)?;
        let mut place = self.location(&begun).with_context(what)?;
        place.query_pairs_mut().append_pair("digest", digest);
        let limit = PATIENCE + Duration::from_secs(size / BYTES_PER_SECOND_MIN);
        let put = || {
            let body = Body::sized(blob.open()?, *size);
            let request = self.client.put(place.clone()).timeout(limit).body(body);
            Ok(request.header(CONTENT_TYPE, "application/octet-stream"))
        };
        let answer = self.ask(&put).with_context(what)?;
        self.require(answer, StatusCode::CREATED).with_context(what).map(drop)
    }

    fn send_manifest(&self, blob: &Blob, media_type: &str, name: &str) -> Result<()> {
        let what = || format!("cannot send the manifest {name} to {}", self.name);
        let place = self.url(&format!("manifests/{name}"))?;
        let mut bytes = Vec::new();
        blob.open()?.read_to_end(&mut bytes)?;
        report::status("Pushing", format!("{}:{name}", self.name));
        let put = || {
            let request = self.client.put(place.clone()).body(bytes.clone());
            Ok(request.header(CONTENT_TYPE, media_type))
        };
        let answer = self.ask(&put).with_context(what)?;
        let answer = self.require(answer, StatusCode::CREATED).with_context(what)?;
        let said = answer.headers().get("Docker-Content-Digest");
        let digest = &blob.descriptor.digest;
        if said.is_some_and(|said| said.as_bytes() != digest.as_bytes()) {
            let message =
                format!("{} has the manifest under another digest than {digest}", self.name);
            return Err(Failure::new(Exit::VerificationFailed, message).into());
        }
        Ok(())
    }

    fn url(&self, path: &str) -> Result<Url> {
        self.base.join(path).with_context(|| format!("`{path}` is no path"))
    }

    /// Where an upload goes on.
    fn location(&self, answer: &Response) -> Result<Url> {
        let said = answer.headers().get(LOCATION).context("the registry does not say where to")?;
        let url = answer.url().join(said.to_str()?)?;
        if self.base.scheme() == "https" && url.scheme() != "https" {
            anyhow::bail!("it sends us from https to plain http: refused");
        }
        Ok(url)
    }

    /// Sends a request, a second time with what the registry asks for to let us in.
    fn ask(&self, request: &dyn Fn() -> Result<RequestBuilder>) -> Result<Response> {
        let answer = self.send(request()?)?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let said = answer.headers().get_all(WWW_AUTHENTICATE);
        let challenge = said.iter().filter_map(|it| Challenge::parse(it.to_str().ok()?)).next();
        let Some(challenge) = challenge else { return Ok(answer) };
        let authorization = self.authorize(&challenge)?;
        *self.authorization.borrow_mut() = Some(authorization);
        self.send(request()?)
    }

    fn send(&self, mut request: RequestBuilder) -> Result<Response> {
        if let Some(authorization) = self.authorization.borrow().clone() {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.send().map_err(|error| fetch::explained(&self.base, &error))
    }

    /// What lets us in, by what a registry asks for.
    fn authorize(&self, challenge: &Challenge) -> Result<HeaderValue> {
        let mut header = match challenge {
            Challenge::Basic => {
                let credentials = self.credentials.as_ref().ok_or_else(|| self.refused(None))?;
                HeaderValue::from_str(&credentials.basic())?
            }
            Challenge::Bearer { realm, service, scope } => {
                let mut url: Url = realm.parse().context("the registry names no token server")?;
                if self.base.scheme() == "https" && url.scheme() != "https" {
                    anyhow::bail!("the token server is not encrypted: refused");
                }
                let asked = format!("repository:{}:pull,push", self.reference.repository);
                let scope = scope.as_ref().unwrap_or(&asked);
                url.query_pairs_mut().append_pair("scope", scope);
                url.query_pairs_mut().extend_pairs(service.iter().map(|it| ("service", it)));
                let mut request = fetch::client(&url).map_err(anyhow::Error::msg)?.get(url.clone());
                if let Some(credentials) = &self.credentials {
                    request = request.header(AUTHORIZATION, credentials.basic());
                }
                let answer = request.send().map_err(|error| fetch::explained(&url, &error))?;
                let answer = self.require(answer, StatusCode::OK)?;
                let said: Value = serde_json::from_str(&answer.text()?)?;
                let token = said["token"].as_str().or_else(|| said["access_token"].as_str());
                HeaderValue::from_str(&format!("Bearer {}", token.context("no token came")?))?
            }
        };
        header.set_sensitive(true);
        Ok(header)
    }

    /// The answer if it has this status, else an error with what the registry says.
    fn require(&self, answer: Response, status: StatusCode) -> Result<Response> {
        if answer.status() == status {
            return Ok(answer);
        }
        let code = answer.status();
        let text = answer.text().unwrap_or_default();
        let said: Option<Value> = serde_json::from_str(&text).ok();
        let said = said.as_ref().and_then(|said| {
            let first = &said["errors"][0];
            first["message"].as_str().or_else(|| first["code"].as_str())
        });
        let said: String = said.unwrap_or(text.trim()).chars().take(SAID_CHARS).collect();
        if code == StatusCode::UNAUTHORIZED || code == StatusCode::FORBIDDEN {
            return Err(self.refused(Some(&said)).into());
        }
        Err(anyhow::anyhow!("it answers {code}: {said}"))
    }

    fn refused(&self, said: Option<&str>) -> Failure {
        let tail = said.filter(|it| !it.is_empty()).map(|it| format!(": {it}")).unwrap_or_default();
        let who = match &self.credentials {
            Some(credentials) => format!(" as {}", credentials.user()),
            None => String::new(),
        };
        let message = format!("{} does not let us in{who}{tail}", self.reference.registry);
        let failure = Failure::new(Exit::Failed, message);
        let registry = &self.reference.registry;
        match self.credentials {
            Some(_) => failure.help(format!("log in anew: `podman login {registry}`")),
            None => failure.help(format!(
                "`podman login {registry}` or `docker login {registry}` keeps credentials where they are found"
            )),
        }
    }
}
