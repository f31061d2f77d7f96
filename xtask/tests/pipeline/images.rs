//! Images that `dist` makes, and their way into a registry.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xtask::digest::Digest;

use crate::has_std;
use crate::image_registry::Registry;
use crate::scratch::{Scratch, TRIPLE, names};

const IMAGE: &str = "tinyapp-0.3.0-x86_64-unknown-linux-musl.oci.tar";

fn place(scratch: &Scratch) -> PathBuf {
    scratch.target().join("dist").join(TRIPLE)
}

/// All files of a tar, with what `tar tvf` shows of them.
fn unpack(bytes: &[u8]) -> BTreeMap<String, (String, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        let (uid, gid) = (header.uid().unwrap(), header.gid().unwrap());
        assert_eq!(header.mtime().unwrap(), 946_684_800);
        let link = entry.link_name().unwrap().map(|to| format!(" -> {}", to.display()));
        let shown = format!("{:o} {uid}:{gid}{}", header.mode().unwrap(), link.unwrap_or_default());
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert!(files.insert(name, (shown, content)).is_none());
    }
    files
}

/// An image as it should be read by anyone: every blob is what its name says.
struct Image {
    files: BTreeMap<String, (String, Vec<u8>)>,
    config: Value,
    layers: Vec<BTreeMap<String, (String, Vec<u8>)>>,
}

impl Image {
    fn read(file: &Path) -> Self {
        let files = unpack(&fs::read(file).unwrap());
        for (name, (_, content)) in &files {
            if let Some(hex) = name.strip_prefix("blobs/sha256/") {
                assert_eq!(Digest::sha256_of(content).hex(), hex);
            }
        }
        let mut image = Self { files, config: Value::Null, layers: Vec::new() };
        assert_eq!(image.json("oci-layout")["imageLayoutVersion"], "1.0.0");
        let index = image.json("index.json");
        let top = &index["manifests"][0];
        assert_eq!(top["platform"], serde_json::json!({ "architecture": "amd64", "os": "linux" }));
        assert_eq!(top["annotations"]["org.opencontainers.image.ref.name"], "tinyapp:0.3.0");
        let manifest: Value = serde_json::from_slice(image.blob(top)).unwrap();
        image.config = serde_json::from_slice(image.blob(&manifest["config"])).unwrap();
        let mut diff_ids = Vec::new();
        for layer in manifest["layers"].as_array().unwrap() {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(image.blob(layer)).read_to_end(&mut plain).unwrap();
            diff_ids.push(Digest::sha256_of(&plain).to_string());
            image.layers.push(unpack(&plain));
        }
        assert_eq!(image.config["rootfs"]["diff_ids"], serde_json::json!(diff_ids));
        // What Docker before 25 reads says the same.
        let old = &image.json("manifest.json")[0];
        assert_eq!(old["RepoTags"][0], "tinyapp:0.3.0");
        assert_eq!(old["Layers"].as_array().unwrap().len(), image.layers.len());
        image
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.files[name].1).unwrap()
    }

    fn blob(&self, descriptor: &Value) -> &[u8] {
        let hex = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        let bytes = &self.files[&format!("blobs/sha256/{hex}")].1;
        assert_eq!(bytes.len() as u64, descriptor["size"].as_u64().unwrap());
        bytes
    }

    /// Mode, owner and link of each file, over all layers.
    fn root(&self) -> BTreeMap<&str, &str> {
        let all = self.layers.iter().flatten();
        all.map(|(name, (shown, _))| (name.as_str(), shown.as_str())).collect()
    }

    fn content(&self, name: &str) -> &[u8] {
        self.layers.iter().find_map(|layer| layer.get(name)).map(|(_, it)| it.as_slice()).unwrap()
    }
}

#[test]
fn an_image_holds_the_program_and_nothing_that_nobody_asked_for() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("image");
    scratch.run(&["dist"]).ok();
    let file = place(&scratch).join(IMAGE);
    let image = Image::read(&file);
    let expected = [
        ("etc/", "755 0:0"),
        ("etc/group", "644 0:0"),
        ("etc/passwd", "644 0:0"),
        ("tmp/", "1777 0:0"),
        ("usr/", "755 0:0"),
        ("usr/bin/", "755 0:0"),
        ("usr/bin/tinyapp", "755 0:0"),
    ];
    assert_eq!(image.root(), BTreeMap::from(expected));
    assert_eq!(
        image.content("usr/bin/tinyapp"),
        fs::read(place(&scratch).join("tinyapp")).unwrap()
    );
    let passwd = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n";
    assert_eq!(String::from_utf8_lossy(image.content("etc/passwd")), passwd);
    let config = serde_json::json!({
        "User": "65532:65532",
        "Env": ["PATH=/usr/bin"],
        "Entrypoint": ["/usr/bin/tinyapp"],
        "Labels": {
            "org.opencontainers.image.title": "tinyapp",
            "org.opencontainers.image.version": "0.3.0",
            "org.opencontainers.image.licenses": "MIT",
        },
    });
    assert_eq!(image.config["config"], config);
    assert_eq!(
        (&image.config["architecture"], &image.config["os"]),
        (&"amd64".into(), &"linux".into())
    );

    // The same bytes in another store, and instead of what somebody damaged.
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, "damaged").unwrap();
    xtask::layout::remove_tree(&scratch.store().join("graphs-v1")).unwrap();
    scratch.run(&["dist"]).ok();
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let sums = fs::read_to_string(place(&scratch).join("SHA256SUMS")).unwrap();
    assert!(sums.contains(&format!("{}  {IMAGE}\n", Digest::sha256_of(&bytes).hex())), "{sums}");
    scratch.run(&["dist", "--only", "archives"]).ok();
    assert!(!names(&place(&scratch)).contains(&IMAGE.to_owned()));
}

#[test]
fn the_manifest_says_what_an_image_holds_and_how_it_starts() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("image-wishes");
    scratch.write("app/etc/tinyapp.toml", "loud = true\n");
    scratch.write("app/words/a.txt", "a\n");
    let with = |wishes: &str| {
        let metadata = format!("[package.metadata.muslin.image]\n{wishes}\n");
        scratch.write_app("app", &metadata);
        scratch.run(&["dist", "--only", "image"])
    };
    with(
        "files = { \"/etc/tinyapp.toml\" = \"etc/tinyapp.toml\", \"/words\" = \"words\" }\n\
         entrypoint = [\"/usr/bin/tinyapp\", \"--loud\"]\ncommand = [\"x\"]\n\
         env = { A = \"b\" }\nports = [8080, \"53/udp\"]\nuser = \"tiny\"\nworkdir = \"/data\"\n\
         volumes = [\"/data/kept\"]\nstop-signal = \"SIGINT\"\nlabels = { \"a.b\" = \"c\" }",
    )
    .ok();
    let image = Image::read(&place(&scratch).join(IMAGE));
    let root = image.root();
    assert_eq!((root["data/"], root["data/kept/"]), ("755 65532:65532", "755 65532:65532"));
    assert_eq!(image.content("words/a.txt"), b"a\n");
    assert_eq!(image.content("etc/tinyapp.toml"), b"loud = true\n");
    assert!(String::from_utf8_lossy(image.content("etc/group")).ends_with("tiny:x:65532:\n"));
    let config = &image.config["config"];
    for (key, value) in [
        ("Entrypoint", serde_json::json!(["/usr/bin/tinyapp", "--loud"])),
        ("Cmd", serde_json::json!(["x"])),
        ("Env", serde_json::json!(["A=b", "PATH=/usr/bin"])),
        ("ExposedPorts", serde_json::json!({ "8080/tcp": {}, "53/udp": {} })),
        ("User", "65532:65532".into()),
        ("WorkingDir", "/data".into()),
        ("Volumes", serde_json::json!({ "/data/kept": {} })),
        ("StopSignal", "SIGINT".into()),
    ] {
        assert_eq!(config[key], value, "{key}");
    }
    assert_eq!(config["Labels"]["a.b"], "c");

    with("user = \"0\"").ok();
    let image = Image::read(&place(&scratch).join(IMAGE));
    assert_eq!(image.config["config"]["User"], "0:0");
    for (wishes, words) in [
        ("user = \"a:b\"", &["`image.user`", "`a:b`, which is no user"][..]),
        ("ports = [\"http\"]", &["`image.ports`", "`http`, which is no port"]),
        ("workdir = \"data\"", &["`data` is no path from `/` on"]),
        ("files = { \"/x/../y\" = \"etc\" }", &["`/x/../y` is no path from `/` on"]),
        ("files = { \"/x\" = \"../etc\" }", &["`../etc` is no path below"]),
        ("files = { \"/x\" = \"none\" }", &["`none` is not there"]),
        ("programs = [\"tinyap\"]", &["`image.programs`", "no program `tinyap`"]),
        ("certificates = \"yes\"", &["unknown variant `yes`"]),
        ("bundle = true", &["unknown field `bundle`"]),
    ] {
        with(wishes).fails(2, words);
    }
}

/// Whom the registry lets in: the hash of `secret`, as `htpasswd -B` makes it.
const USERS: &str = "me:$2y$05$BYIgLALTyGPZwytVs6Rt7OA.GetAMmycM8NTtWMSZ/XqdQCkDwIpG\n";

#[test]
fn registries_get_the_image_and_nothing_twice() {
    if !has_std() {
        return;
    }
    let scratch = Scratch::new("registry");
    let Some(registry) = Registry::start(&scratch.at("registry"), Some(USERS)) else {
        return crate::skip(
            "there is no docker-registry: `cargo xtask test` installs it where it can",
        );
    };
    let host = registry.host.clone();
    let name = format!("{host}/team/tinyapp:1");
    let auth = scratch.workspace().join("auth.json");
    let push = |name: &str| {
        let mut command = scratch.command(&["image", "push", "-v", name]);
        command.env("REGISTRY_AUTH_FILE", &auth).env("HOME", scratch.workspace());
        crate::scratch::Run::of(&mut command)
    };
    let keep = |text: &str| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(text);
        let kept = serde_json::json!({ "auths": { (&host): { "auth": text } } });
        fs::write(&auth, kept.to_string()).unwrap();
    };
    push(&name).fails(1, &["does not let us in", "podman login"]);
    keep("me:wrong");
    push(&name).fails(1, &["does not let us in as me", "log in anew"]);
    keep("me:secret");
    let first = push(&name).ok();
    first.says("Pushing sha256:");
    let Some((pushed, digest)) = first.stdout.lines().last().and_then(|it| it.split_once('@'))
    else {
        panic!("{}", first.stdout);
    };
    assert_eq!(pushed, format!("{host}/team/tinyapp"));
    let second = push(&format!("{host}/team/tinyapp:2")).ok();
    assert!(!second.stderr.contains("Pushing sha256:"), "{}", second.stderr);
    second.says("Fresh sha256:");

    // Somebody else's program reads what is there, and it is the image of the file.
    let image = Image::read(&place(&scratch).join(IMAGE));
    assert_eq!(image.json("index.json")["manifests"][0]["digest"], digest);
    let Some(skopeo) = xtask::process::find_program("skopeo") else {
        return crate::skip("there is no skopeo");
    };
    for tag in ["1", "2"] {
        let mut command = scratch.plain(&skopeo.to_string_lossy());
        command.args(["inspect", "--tls-verify=false", "--creds=me:secret"]);
        command.arg(format!("docker://{host}/team/tinyapp:{tag}"));
        let said = command.output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let said: Value = serde_json::from_slice(&said.stdout).unwrap();
        assert_eq!(said["Digest"], digest);
        assert_eq!(said["Architecture"], "amd64");
        assert_eq!(said["Labels"]["org.opencontainers.image.title"], "tinyapp");
    }

    push("tinyapp:1").fails(2, &["names no registry"]);
    push(&format!("{host}/Team:1")).fails(2, &["`Team` is no part of a name"]);
    drop(registry);
    push(&name).fails(1, &["cannot send", "refuses the connection"]);
}
