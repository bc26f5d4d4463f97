//! `planet serve`, asked over HTTP as browsers and programs do.

#[path = "support/foreign.rs"]
mod foreign;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command as Process, Stdio},
};

use foreign::{foreign, import, planet};
use serde_json::{Value, json};

/// A package of random weights and synthetic photos.
fn prepare(photos: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    foreign(folder.path(), 3);
    import(folder.path()).assert().success();
    planet(folder.path())
        .args(["world", "draw", "--photos", photos, "--size", "64", "-o", "photos"])
        .assert()
        .success();
    folder
}

/// A running server, which is killed at the end.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status, head and body of an answer.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Server {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Process::new(env!("CARGO_BIN_EXE_planet"))
            .current_dir(folder)
            .args(["serve", "--model", "model", "--engine", "rten", "--port", "0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let line = lines
            .by_ref()
            .map(|line| line.expect("text"))
            .find(|line| line.contains("http://"))
            .expect("it says where it is");
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.split("http://").nth(1).expect("an address");
        let address = address.split('/').next().expect("an address").to_owned();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).expect("it listens")
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let host = headers.iter().all(|(name, _)| *name != "Host");
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if host {
            head.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes()).expect("sent");
        // A server that refuses may close before it has read everything.
        let _ = stream.write_all(body);
        read(stream)
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let kind = [("Content-Type", "application/json")];
        self.send("POST", path, &kind, body.to_string().as_bytes())
    }
}

fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    let mut body = bytes[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Answer { status, head, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|it| it == b"\r\n") {
        let length = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = usize::from_str_radix(length.trim(), 16).expect("a length");
        let chunk = &bytes[end + 2..];
        if length == 0 || chunk.len() < length + 2 {
            break;
        }
        body.extend_from_slice(&chunk[..length]);
        bytes = &chunk[length + 2..];
    }
    body
}

/// A form with these photos, and its content type.
fn form(photos: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, bytes) in photos {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"{name}\"\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

/// Ids of the synthetic photos and their bytes.
fn photos(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let listed = planet(folder).args(["dataset", "scan", "photos", "-o", "-"]).assert().success();
    let table = String::from_utf8_lossy(&listed.get_output().stdout).into_owned();
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    let ids = rows.map(|row| row.split(',').next().expect("an id").to_owned());
    let read = |id: String| {
        let bytes = fs::read(folder.join("photos").join(&id)).ok()?;
        Some((id, bytes))
    };
    ids.filter_map(read).collect()
}

#[test]
fn photos_are_located_as_by_the_command() {
    let folder = prepare("3");
    let (server, photos) = (Server::start(folder.path(), &[]), photos(folder.path()));
    assert_eq!(photos.len(), 3);
    let output = planet(folder.path())
        .args(["locate", "photos", "--model", "model", "--engine", "rten", "--format", "jsonl"])
        .assert()
        .success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    let by_command: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let parts: Vec<(&str, &[u8])> =
        photos.iter().map(|(id, bytes)| (id.as_str(), &bytes[..])).collect();
    let (kind, body) = form(&parts);
    let answer = server.send("POST", "/api/locate", &[("Content-Type", &kind)], &body);
    assert_eq!(answer.status, 200, "{}", answer.head);
    let answers = answer.json()["photos"].as_array().expect("photos").clone();
    for (served, own) in answers.iter().zip(&by_command) {
        let cells = |it: &Value| -> Vec<String> {
            let all = it["predictions"].as_array().expect("candidates").iter();
            all.map(|it| it["cell"].to_string()).collect()
        };
        assert_eq!(cells(served), cells(own));
        assert_eq!(served["certain"]["level"], own["certain"]["level"]);
    }
    // One photo, as bytes, with the whole distribution.
    let answer = server.send("POST", "/api/locate?top=1&posterior=true", &[], &photos[0].1).json();
    assert_eq!(answer["predictions"].as_array().map(Vec::len), Some(1));
    let shares = answer["posterior"]["probabilities"].as_array().expect("shares");
    let sum: f64 = shares.iter().filter_map(Value::as_f64).sum();
    assert!((sum - 1.0).abs() < 1e-3, "{sum}");
}

#[test]
fn wrong_requests_have_a_reason_and_a_status() {
    let folder = prepare("1");
    let server = Server::start(folder.path(), &[]);
    let state = |path: &str, body: &[u8]| {
        let answer = server.send("POST", path, &[], body);
        assert!(answer.json()["error"].as_str().is_some_and(|it| !it.is_empty()), "{path}");
        answer.status
    };
    assert_eq!(state("/api/locate", b""), 400);
    assert_eq!(state("/api/locate", b"no photo"), 422);
    assert_eq!(state("/api/locate?top=0", b"x"), 400);
    assert_eq!(state("/api/locate?tops=1", b"x"), 400);
    assert_eq!(state("/api/explain?target=nowhere", b"x"), 400);
    assert_eq!(state("/api/album", b"x"), 400);
    assert_eq!(state("/api/match", b"{"), 400);
    assert_eq!(state("/api/nothing", b""), 404);
    assert_eq!(state("/v2/models/other/infer", b"{}"), 404);
    assert_eq!(state("/v2/models/model/versions/7/infer", b"{}"), 404);
    let large = vec![0; (64 << 20) + 1];
    assert_eq!(state("/api/locate", &large), 413);
    assert_eq!(server.get("/api/cells/other").status, 404);
    assert_eq!(server.get("/api/library").status, 404);
}

#[test]
fn requests_for_another_host_and_from_other_pages_are_refused() {
    let folder = prepare("1");
    let server = Server::start(folder.path(), &[]);
    let foreign = server.send("GET", "/api/state", &[("Host", "evil.example")], b"");
    assert_eq!(foreign.status, 403);
    let page = server.send("POST", "/api/locate", &[("Origin", "http://evil.example")], b"x");
    assert_eq!(page.status, 403);
    let own = server.get("/");
    assert_eq!(own.status, 200);
    let head = own.head.to_ascii_lowercase();
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(!head.contains("access-control-allow"), "{head}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_even_while_a_stream_is_open() {
    let folder = prepare("1");
    let mut server = Server::start(folder.path(), &[]);
    let mut stream = server.connect();
    let head = format!(
        "POST /api/album HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; \
         boundary=edge\r\nContent-Length: 1000\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).expect("the stream has begun");
    let id = server.child.id().to_string();
    Process::new("kill").args(["-TERM", &id]).status().expect("kill runs");
    let ended = server.child.wait().expect("it ends");
    assert!(ended.success(), "{ended:?}");
}

#[test]
fn a_full_queue_refuses_and_says_when_to_come_again() {
    let folder = prepare("1");
    let server = Server::start(folder.path(), &["--queue", "1"]);
    let photo = photos(folder.path()).remove(0).1;
    // A request that never ends holds the one place.
    let mut slow = server.connect();
    let head = format!(
        "POST /api/locate HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\n\r\nx",
        server.address
    );
    slow.write_all(head.as_bytes()).expect("sent");
    let is_held = |_| {
        let metrics = server.get("/metrics").body;
        String::from_utf8_lossy(&metrics).contains("planet_queue_photos 1\n")
    };
    assert!((0..1000).any(is_held), "the place is taken");
    let refused = server.send("POST", "/api/locate", &[], &photo);
    assert_eq!(refused.status, 429);
    assert!(refused.head.to_ascii_lowercase().contains("retry-after: 1"), "{}", refused.head);
    // Who gives up leaves the queue.
    drop(slow);
    let located = (0..200).any(|_| server.send("POST", "/api/locate", &[], &photo).status == 200);
    assert!(located, "the place is free again");
}

#[test]
fn a_match_tells_no_position_before_everybody_has_guessed() {
    let folder = prepare("20");
    let server = Server::start(folder.path(), &["--match", "photos/manifest.parquet"]);
    let players = json!({ "rounds": 2, "players": ["Ann", "Ben"], "seed": 7 });
    let id = server.post("/api/match", &players).json()["id"].as_str().expect("an id").to_owned();
    let photo = server.get(&format!("/api/match/{id}/photo/0"));
    assert_eq!((photo.status, &photo.body[..2]), (200, &b"\xff\xd8"[..]));
    assert!(!photo.body.windows(4).any(|it| it == b"Exif"), "metadata are left out");
    let guess = |player: &str| {
        let guess = json!({ "round": 0, "player": player, "lat": 10.0, "lng": 20.0 });
        server.post(&format!("/api/match/{id}/guess"), &guess)
    };
    let first = guess("Ann").json();
    assert_eq!(first, json!({ "waiting": ["Ben"] }));
    for path in [String::new(), "/summary".to_owned(), "/predictions".to_owned()] {
        let answer = server.get(&format!("/api/match/{id}{path}"));
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("truth") && !text.contains(".jpg"), "{path}: {text}");
    }
    assert_eq!(guess("Ann").status, 409);
    assert_eq!(guess("Eve").status, 404);
    let second = guess("Ben").json();
    assert!(second["truth"]["lat"].is_f64(), "{second}");
    assert_eq!(second["guesses"].as_array().map(Vec::len), Some(3), "{second}");
    // The file is one that the command scores.
    let csv = server.get(&format!("/api/match/{id}/predictions"));
    fs::write(folder.path().join("people.csv"), &csv.body).expect("written");
    planet(folder.path())
        .args(["locate", "photos/manifest.parquet", "--model", "model", "-o", "model.jsonl"])
        .assert()
        .success();
    planet(folder.path())
        .args(["score", "match", "--predictions", "model.jsonl", "--people", "people.csv"])
        .args(["--truth", "photos/manifest.parquet"])
        .assert()
        .success();
}

#[test]
fn tensors_have_the_same_values_in_json_and_in_binary_form() {
    let folder = prepare("1");
    let server = Server::start(folder.path(), &[]);
    let photo = photos(folder.path()).remove(0).1;
    let ready = server.get("/v2/health/ready");
    assert_eq!(ready.status, 200);
    let name = server.get("/api/state").json()["model"]["name"].as_str().expect("one").to_owned();
    let path = format!("/v2/models/{name}/infer");
    let element = [&(photo.len() as u32).to_le_bytes()[..], &photo].concat();
    let request = |binary: bool| {
        json!({
            "id": "7",
            "inputs": [{
                "name": "photo", "datatype": "BYTES", "shape": [1],
                "parameters": { "binary_data_size": element.len() },
            }],
            "outputs": [{ "name": "logits", "parameters": { "binary_data": binary } }],
        })
        .to_string()
    };
    let ask = |binary: bool| {
        let json = request(binary);
        let body = [json.as_bytes(), &element].concat();
        let length = json.len().to_string();
        server.send("POST", &path, &[("Inference-Header-Content-Length", &length)], &body)
    };
    let plain = ask(false).json();
    assert_eq!((&plain["id"], &plain["outputs"][0]["datatype"]), (&json!("7"), &json!("FP32")));
    let values: Vec<f32> = plain["outputs"][0]["data"]
        .as_array()
        .expect("values")
        .iter()
        .map(|it| it.as_f64().expect("a number") as f32)
        .collect();
    let answer = ask(true);
    let head = answer.head.to_ascii_lowercase();
    let length = head.split("inference-header-content-length: ").nth(1).expect("a header");
    let length: usize = length.lines().next().and_then(|it| it.trim().parse().ok()).expect("one");
    let (bytes, _) = answer.body[length..].as_chunks::<4>();
    let binary: Vec<f32> = bytes.iter().map(|it| f32::from_le_bytes(*it)).collect();
    assert_eq!(binary, values);
}

#[test]
fn a_review_keeps_its_decisions_and_what_it_writes_can_be_taken_back() {
    let folder = prepare("6");
    // The same photos without positions.
    let library = folder.path().join("photos");
    fs::remove_dir_all(&library).expect("removed");
    planet(folder.path())
        .args(["world", "draw", "--photos", "6", "--size", "64", "--withhold", "1"])
        .args(["-o", "photos"])
        .assert()
        .success();
    // Positions of half of the photos, in sidecars, at times that are a minute apart.
    for (at, (id, _)) in photos(folder.path()).iter().enumerate() {
        if at % 2 == 0 {
            let xmp = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
                 xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description \
                 xmlns:exif=\"http://ns.adobe.com/exif/1.0/\" exif:GPSLatitude=\"41,54.0N\" \
                 exif:GPSLongitude=\"12,30.0E\"/></rdf:RDF></x:xmpmeta>";
            fs::write(library.join(format!("{id}.xmp")), xmp).expect("written");
        }
    }
    let library_of = |server: &Server| {
        let mut answer = Value::Null;
        for _ in 0..600 {
            answer = server.get("/api/library").json();
            if answer["state"] != "working" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert_eq!(answer["state"], "ready", "{answer}");
        answer
    };
    let server = Server::start(folder.path(), &["--library", "photos"]);
    let found = library_of(&server);
    let photos = found["photos"].as_array().expect("photos");
    assert_eq!(photos.len(), 6);
    let unknown = photos.iter().find(|it| it["known"].is_null()).expect("one is not known");
    let id = unknown["id"].clone();
    let small = server.get(&format!("/api/library/photo/{id}?size=40"));
    assert_eq!((small.status, &small.body[..2]), (200, &b"\xff\xd8"[..]));
    let decide = |server: &Server, version: &Value| {
        let decision = json!({ "id": id, "decision": "corrected", "lat": 48.2, "lng": 16.4 });
        let body = json!({ "version": version, "decisions": [decision] });
        server.post("/api/library/decisions", &body)
    };
    assert_eq!(decide(&server, &json!(99)).status, 409);
    let decided = decide(&server, &found["version"]);
    assert_eq!(decided.status, 200);
    drop(server);
    // Another server knows the decision, and writes it.
    let server = Server::start(folder.path(), &["--library", "photos"]);
    let found = library_of(&server);
    let own = found["photos"].as_array().expect("photos").iter().find(|it| it["id"] == id);
    assert_eq!(own.expect("it is there")["decision"], "corrected");
    let write = |apply: bool| {
        let body = json!({ "version": found["version"], "apply": apply });
        server.post("/api/library/write", &body).json()
    };
    let planned = write(false);
    let file = planned["files"][0]["file"].as_str().expect("a file").to_owned();
    assert!(!library.join(&file).exists(), "a dry run writes nothing");
    write(true);
    let sidecar = fs::read_to_string(library.join(&file)).expect("it was written");
    assert!(sidecar.contains("48,12.") && sidecar.contains("chosen by hand"), "{sidecar}");
    planet(folder.path()).args(["library", "undo", "photos.journal"]).assert().success();
    assert!(!library.join(&file).exists(), "it was taken back");
}
