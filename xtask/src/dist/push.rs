//! `cargo xtask image push`: what `dist` makes, to a registry.

use anyhow::{Context as _, Result};

use crate::cli::{self, Global};
use crate::exit::{Exit, Failure};
use crate::oci::Layout;
use crate::registry::{Reference, Repository};
use crate::report;
use crate::session::{Access, Session};

impl cli::Image {
    /// Does what is asked for.
    pub fn run(self, global: Global) -> Result<()> {
        match self.command {
            cli::ImageCommand::Push(command) => command.run(global),
        }
    }
}

impl cli::ImagePush {
    /// Makes the image and sends it. Whether it can be sent at all is found out first.
    fn run(self, global: Global) -> Result<()> {
        let reference: Reference = self
            .reference
            .parse()
            .map_err(|error: anyhow::Error| Failure::new(Exit::Usage, error.to_string()))?;
        if global.offline {
            let message = "`--offline` and `image push` exclude each other";
            return Err(Failure::new(Exit::Usage, message).into());
        }
        let repository = Repository::of(&reference, self.plain_http)?;
        let session = Session::open(global, Access::Write)?;
        let order = cli::Dist {
            package: self.package,
            platform: self.platform,
            bin: self.bin.into_iter().collect(),
            profile: self.profile,
            out_dir: None,
            only: Vec::new(),
            sign: None,
        };
        let images = order.run_all(&session)?;
        let names: Vec<&str> = images.keys().map(String::as_str).collect();
        let (Some(image), [name]) = (images.values().next(), &names[..]) else {
            let message = match &names[..] {
                [] => "there is no image to push".to_owned(),
                _ => format!("there are several images: {}", names.join(", ")),
            };
            return Err(Failure::new(Exit::Usage, message)
                .help("`--bin` names the program; `image.programs` in Cargo.toml puts several into one")
                .into());
        };
        let layout = Layout::read(&image.path).context("this is no image of ours")?;
        let digest = repository.push(&layout)?;
        report::status("Pushed", format!("{name} to {}", self.reference));
        let named = format!("{}/{}@{digest}", reference.registry, reference.repository);
        report::event(
            "pushed",
            serde_json::json!({ "name": name, "reference": self.reference, "digest": digest }),
        );
        report::data(named);
        Ok(())
    }
}
