//! `planet serve`, asked over HTTP as browsers and programs do.

#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/server.rs"]
mod server;

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::Command as Process,
};

use foreign::planet;
use serde_json::{Value, json};
use server::{Server, form, library_of, photos, prepare, prepare_library};

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
    for path in ["", "/summary", "/predictions", "/answers"] {
        let answer = server.get(&format!("/api/match/{id}{path}"));
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("truth") && !text.contains(".jpg"), "{path}: {text}");
    }
    assert_eq!(guess("Ann").status, 409);
    assert_eq!(guess("Eve").status, 404);
    let second = guess("Ben").json();
    assert!(second["truth"]["lat"].is_f64(), "{second}");
    assert_eq!(second["guesses"].as_array().map(Vec::len), Some(3), "{second}");
}

#[test]
fn both_sides_of_a_match_that_is_over_are_files_that_the_command_scores() {
    let folder = prepare("20");
    let server = Server::start(folder.path(), &["--match", "photos/manifest.parquet"]);
    let players = json!({ "rounds": 3, "players": ["Ann"], "seed": 7, "shared": false });
    let id = server.post("/api/match", &players).json()["id"].as_str().expect("an id").to_owned();
    let answers = || server.get(&format!("/api/match/{id}/answers"));
    for round in 0..3 {
        assert_eq!(answers().status, 409, "the match goes on");
        let guess = json!({ "round": round, "player": "Ann", "lat": 10.0, "lng": 20.0 });
        assert_eq!(server.post(&format!("/api/match/{id}/guess"), &guess).status, 200);
    }
    let csv = server.get(&format!("/api/match/{id}/predictions"));
    fs::write(folder.path().join("match.csv"), &csv.body).expect("written");
    fs::write(folder.path().join("planet.jsonl"), &answers().body).expect("written");
    let scored = planet(folder.path())
        .args(["score", "match", "--predictions", "planet.jsonl", "--people", "match.csv"])
        .arg("--json")
        .assert()
        .success();
    let by_command: Value = serde_json::from_slice(&scored.get_output().stdout).expect("JSON");
    let summary = server.get(&format!("/api/match/{id}/summary")).json();
    for (at, side) in ["people", "model"].iter().enumerate() {
        let median = &summary["players"][at]["median_km"];
        let (served, own) = (median.as_f64(), by_command[side]["median_km"].as_f64());
        let (served, own) = (served.expect("a median"), own.expect("a median"));
        assert!((served - own).abs() < 0.01, "{side}: {served} and {own}");
    }
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
fn a_library_that_has_not_changed_is_not_sent_again() {
    let folder = prepare_library("6");
    let server = Server::start(folder.path(), &["--library", "photos"]);
    let found = library_of(&server);
    let answer = server.get("/api/library");
    let tag = answer.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
    let again = || server.send("GET", "/api/library", &[("If-None-Match", tag)], b"");
    let known = again();
    assert_eq!((known.status, known.body.len()), (304, 0));
    let decision = json!({ "id": 5, "decision": "rejected" });
    let body = json!({ "version": found["version"], "decisions": [decision] });
    assert_eq!(server.post("/api/library/decisions", &body).status, 200);
    assert_eq!(again().status, 200, "a decision is a change");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_neither_a_decision_nor_a_sidecar_is_lost() {
    let folder = prepare_library("6");
    let sidecars = || {
        let authors = fs::read_dir(folder.path().join("photos")).expect("listed").flatten();
        let files = authors.filter_map(|it| fs::read_dir(it.path()).ok()).flatten().flatten();
        files.filter(|it| it.path().extension().is_some_and(|it| it == "xmp")).count()
    };
    let decide = |server: &Server, found: &Value| {
        let photos = found["photos"].as_array().expect("photos");
        let id = &photos.iter().find(|it| it["known"].is_null()).expect("one is not known")["id"];
        let decision = json!({ "id": id, "decision": "corrected", "lat": 48.2, "lng": 16.4 });
        let body = json!({ "version": found["version"], "decisions": [decision] });
        server.post("/api/library/decisions", &body)
    };
    let write = |server: &Server, found: &Value| {
        let body = json!({ "version": found["version"], "apply": true });
        server.post("/api/library/write", &body)
    };
    // Decisions.
    let full = Server::start_with_room(folder.path(), 0, &["--library", "photos"]);
    let found = library_of(&full);
    let refused = decide(&full, &found);
    assert_eq!(refused.status, 507, "{}", refused.json());
    let reason = refused.json()["error"].to_string();
    assert!(reason.contains("photos.review.jsonl") && reason.contains("not kept"), "{reason}");
    assert_eq!(library_of(&full)["version"], found["version"], "nothing has changed");
    drop(full);
    // Sidecars of a decision that was kept.
    let server = Server::start(folder.path(), &["--library", "photos"]);
    assert_eq!(decide(&server, &library_of(&server)).status, 200);
    drop(server);
    let before = sidecars();
    // The library's lock and the journal have room, the sidecar has none.
    let full = Server::start_with_room(folder.path(), 1, &["--library", "photos"]);
    let refused = write(&full, &library_of(&full));
    assert_eq!(refused.status, 507, "{}", refused.json());
    assert!(refused.json()["error"].to_string().contains(".xmp"), "{}", refused.json());
    assert_eq!(sidecars(), before, "nothing half-written stays");
    drop(full);
    let server = Server::start(folder.path(), &["--library", "photos"]);
    assert_eq!(write(&server, &library_of(&server)).status, 200);
    assert_eq!(sidecars(), before + 1, "the decision was kept");
}

#[test]
fn a_review_keeps_its_decisions_and_what_it_writes_can_be_taken_back() {
    let folder = prepare_library("6");
    let library = folder.path().join("photos");
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
    assert!(sidecar.contains("48,12.") && sidecar.contains("\"MANUAL\""), "{sidecar}");
    planet(folder.path()).args(["library", "undo", "photos.journal"]).assert().success();
    assert!(!library.join(&file).exists(), "it was taken back");
}

#[test]
fn an_album_has_what_each_photo_says_alone_beside_what_the_album_says() {
    let folder = prepare("3");
    let server = Server::start(folder.path(), &[]);
    let photos = photos(folder.path());
    let parts: Vec<(&str, &[u8])> =
        photos.iter().map(|(id, bytes)| (id.as_str(), &bytes[..])).collect();
    let (kind, body) = form(&parts);
    for scheme in ["average", "hmm"] {
        let path = format!("/api/album?scheme={scheme}");
        let answer = server.send("POST", &path, &[("Content-Type", &kind)], &body);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let result = text.split("event: result\ndata: ").nth(1).expect("a result");
        let result: Value =
            serde_json::from_str(result.lines().next().expect("a line")).expect("JSON");
        let rows = result["photos"].as_array().expect("photos");
        assert_eq!(rows.len(), 3);
        for (row, side) in rows.iter().flat_map(|row| ["alone", "album"].map(|it| (row, it))) {
            let posterior = &row[side]["posterior"];
            let classes = posterior["classes"].as_array().expect("classes");
            let shares = posterior["probabilities"].as_array().expect("shares");
            assert_eq!(classes.len(), shares.len());
            // A known position is no class.
            let first = classes.first().cloned().unwrap_or_default();
            assert_eq!(first, row[side]["predictions"][0]["class"], "{scheme} {side}");
            let falls = |pair: &[Value]| pair[0].as_f64() >= pair[1].as_f64();
            assert!(shares.windows(2).all(falls), "{scheme} {side}: {posterior}");
        }
        let first = |row: &Value| row["album"]["posterior"].clone();
        if scheme == "average" {
            assert_eq!(first(&rows[0]), first(&rows[2]), "one average for all");
            assert_ne!(rows[0]["alone"]["posterior"], rows[2]["alone"]["posterior"]);
        }
    }
}

/// The npm package onnxruntime-web, as far as a site takes it.
fn onnxruntime_web(folder: &Path) {
    let dist = folder.join("onnxruntime-web/dist");
    fs::create_dir_all(&dist).expect("made");
    let package = r#"{"name":"onnxruntime-web","version":"1.30.0"}"#;
    fs::write(folder.join("onnxruntime-web/package.json"), package).expect("written");
    for name in ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"] {
        fs::write(dist.join(name), name).expect("written");
    }
}

#[test]
fn a_site_without_a_server_has_all_files_that_it_keeps_and_asks_nobody_else() {
    let folder = prepare("1");
    onnxruntime_web(folder.path());
    let export = |more: &[&str]| {
        let serve = ["serve", "--model", "model", "--export-site", "site"];
        planet(folder.path()).args(serve).args(more).assert()
    };
    let told = export(&[]).code(2);
    let told = String::from_utf8_lossy(&told.get_output().stderr).into_owned();
    assert!(told.contains("npm install --prefix . onnxruntime-web"), "{told}");
    export(&["--onnxruntime-web", "onnxruntime-web"]).success();
    // Once more: the same kind of folder is replaced.
    export(&["--onnxruntime-web", "onnxruntime-web"]).success();
    let site = folder.path().join("site");
    let text = |name: &str| fs::read_to_string(site.join(name)).expect("it is text");
    let offline = text("offline.js");
    let kept = offline.lines().next().and_then(|line| line.strip_prefix("const SITE = "));
    let kept: Value =
        serde_json::from_str(kept.expect("a list").trim_end_matches(';')).expect("JSON");
    let files = kept["files"].as_array().expect("files");
    for file in files.iter().filter_map(Value::as_str).filter(|file| *file != "./") {
        assert!(site.join(file).is_file(), "{file}");
    }
    for needed in ["api/state", "api/land", "classes.json", "worker.js", "model/model.onnx"] {
        assert!(files.contains(&json!(needed)), "{needed}");
    }
    let page = text("index.html");
    assert!(page.contains("Content-Security-Policy") && page.contains("'wasm-unsafe-eval'"));
    assert!(text("onnxruntime/LICENSE.txt").contains("Copyright (c) Microsoft Corporation"));
    let state: Value = serde_json::from_str(&text("api/state")).expect("JSON");
    let classes: Value = serde_json::from_str(&text("classes.json")).expect("JSON");
    assert_eq!(
        classes.as_array().map(Vec::len),
        state["model"]["classes"].as_u64().map(|it| it as usize)
    );
    // Somebody else's folder is left alone.
    fs::create_dir(folder.path().join("other")).expect("made");
    fs::write(folder.path().join("other/index.html"), "mine").expect("written");
    planet(folder.path())
        .args(["serve", "--model", "model", "--export-site", "other"])
        .args(["--onnxruntime-web", "onnxruntime-web"])
        .assert()
        .code(1);
    let mine = fs::read_to_string(folder.path().join("other/index.html")).expect("it stays");
    assert_eq!(mine, "mine");
}
