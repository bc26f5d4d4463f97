use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use planet::{
    Candidate, Place, Prediction,
    evaluation::{Match, Round, Rules, geoscore},
};
use planet_data::{DiskStore, PhotoStore, thumbnail_jpeg};
use planet_geo::LatLng;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    error::ApiError,
    extract,
    game::{Game, Games},
};

/// Longer side of the photos of a match in pixels.
const SIDE: u32 = 1280;
/// The model's name among the players.
const MODEL: &str = "PlaNet";

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMatch {
    /// 1 to 50.
    #[schema(minimum = 1, maximum = 50)]
    rounds: usize,
    /// 1 to 20 names that differ.
    #[schema(min_items = 1, max_items = 20)]
    players: Vec<String>,
    /// Chooses the photos; by chance where it is not given.
    seed: Option<u64>,
    /// Whether all players see the same photos.
    #[serde(default = "yes")]
    shared: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guess {
    round: usize,
    player: String,
    /// Degrees.
    #[schema(minimum = -90, maximum = 90)]
    lat: f64,
    /// Degrees.
    lng: f64,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlayerQuery {
    /// Whose photo or answers; the first player's if it is not given.
    player: Option<String>,
    /// The server's token, where it has one.
    #[serde(default, rename = "token")]
    _token: Option<String>,
}

fn games(app: &App) -> Result<&Arc<Games>, ApiError> {
    let none = || {
        ApiError::not_found("there are no photos for a match")
            .hint("start the server with --match MANIFEST")
    };
    app.games.as_ref().ok_or_else(none)
}

/// Begins a match.
#[utoipa::path(post, path = "/api/match", request_body = NewMatch,
    responses((status = 200, body = Object), (status = 400), (status = 404), (status = 503)))]
pub(crate) async fn start(
    State(app): State<Arc<App>>,
    extract::Json(new): extract::Json<NewMatch>,
) -> Result<Json<Value>, ApiError> {
    app.model()?;
    let NewMatch { rounds, players, seed, shared } = new;
    let id = games(&app)?.start(rounds, players.clone(), shared, seed)?;
    Ok(Json(json!({ "id": id, "rounds": rounds, "players": players, "shared": shared })))
}

/// A match as it stands; only rounds that are over tell where their photos were taken.
#[utoipa::path(get, path = "/api/match/{id}", params(("id" = String, Path,)),
    responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn state(
    State(app): State<Arc<App>>,
    extract::Path(id): extract::Path<String>,
) -> Result<Json<Value>, ApiError> {
    let games = games(&app)?;
    let game = games.get(&id)?;
    let round = game.round();
    let names = |players: Vec<usize>| -> Vec<&str> {
        players.iter().map(|it| game.players[*it].as_str()).collect()
    };
    let guessed = if round < game.rounds { names(game.guessed(round)) } else { Vec::new() };
    Ok(Json(json!({
        "id": id,
        "rounds": game.rounds,
        "players": game.players,
        "shared": game.shared,
        "round": round,
        "guessed": guessed,
        "results": results(&app, games, &game),
        "over": round == game.rounds,
    })))
}

/// The photo of a round as JPEG, without its name and metadata.
#[utoipa::path(get, path = "/api/match/{id}/photo/{round}",
    params(("id" = String, Path,), ("round" = usize, Path,), PlayerQuery),
    responses((status = 200, content_type = "image/jpeg"), (status = 400), (status = 404)))]
pub(crate) async fn photo(
    State(app): State<Arc<App>>,
    extract::Path((id, round)): extract::Path<(String, usize)>,
    extract::Query(query): extract::Query<PlayerQuery>,
) -> Result<Response, ApiError> {
    let games = games(&app)?;
    let game = games.get(&id)?;
    let player = player(&game, &query)?;
    if round >= game.rounds {
        return Err(ApiError::not_found("the match has no such round"));
    }
    let (photo, _) = games.known[game.photo(round, player)].clone();
    let store = DiskStore::new(&games.root);
    let jpeg = move || {
        let photo = store.photo(&photo)?;
        // Never larger than it is.
        let side = SIDE.min(photo.width().max(photo.height()));
        Ok::<_, ApiError>(thumbnail_jpeg(&photo, side))
    };
    let jpeg = tokio::task::spawn_blocking(jpeg).await.map_err(ApiError::internal)??;
    Ok(([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "private, max-age=3600")], jpeg)
        .into_response())
}

fn player(game: &Game, query: &PlayerQuery) -> Result<usize, ApiError> {
    query.player.as_ref().map_or(Ok(0), |name| game.player(name))
}

/// A player's guess. Where the photo was taken is told once all players of the round have
/// guessed, or, where each has photos of their own, to the player.
#[utoipa::path(post, path = "/api/match/{id}/guess", params(("id" = String, Path,)),
    request_body = Guess,
    responses((status = 200, body = Object), (status = 400), (status = 404),
        (status = 409, description = "the player has guessed in this round")))]
pub(crate) async fn guess(
    State(app): State<Arc<App>>,
    extract::Path(id): extract::Path<String>,
    extract::Json(guess): extract::Json<Guess>,
) -> Result<Json<Value>, ApiError> {
    let games = games(&app)?;
    let position = LatLng::new(guess.lat, guess.lng).map_err(ApiError::bad_request)?;
    let (round, player) = games.with(&id, |game| {
        let player = game.player(&guess.player)?;
        if game.shared && guess.round > game.round() {
            return Err(ApiError::bad_request("an earlier round is not over"));
        }
        if guess.round >= game.rounds {
            return Err(ApiError::bad_request("the match has no such round"));
        }
        if game.guesses.contains_key(&(guess.round, player)) {
            let status = axum::http::StatusCode::CONFLICT;
            return Err(ApiError::new(status, "the player has guessed in this round"));
        }
        game.guesses.insert((guess.round, player), position);
        Ok((guess.round, player))
    })??;
    let game = games.get(&id)?;
    if !game.is_open(round, player) {
        let guessed = game.guessed(round);
        let waiting: Vec<&String> = (0..game.players.len())
            .filter(|it| !guessed.contains(it))
            .map(|it| &game.players[it])
            .collect();
        return Ok(Json(json!({ "waiting": waiting })));
    }
    answer(&app, games, &id, game.photo(round, player)).await?;
    let game = games.get(&id)?;
    Ok(Json(result(&app, games, &game, round, player)))
}

/// The model's answer for a photo of a match, computed once.
async fn answer(app: &App, games: &Games, id: &str, photo: usize) -> Result<(), ApiError> {
    if games.with(id, |game| game.answers.contains_key(&photo))? {
        return Ok(());
    }
    let model = app.model()?;
    let (name, _) = games.known[photo].clone();
    let store = DiskStore::new(&games.root);
    let read = tokio::task::spawn_blocking(move || store.bytes(&name));
    let bytes = read.await.map_err(ApiError::internal)??;
    let place = model.inference.wait_for_place().await;
    // A photo that cannot be decoded has no answer, and loses.
    let output = model.inference.run_bytes(bytes, place).await.ok();
    let answer = output.and_then(|output| {
        let prediction = model.locator.predict("", &output.logits).ok()?;
        prediction.best().map(|best| best.position)
    });
    games.with(id, |game| game.answers.insert(photo, answer)).map(drop)
}

/// What may be told of a round, as one player sees it.
fn result(app: &App, games: &Games, game: &Game, round: usize, player: usize) -> Value {
    let photo = game.photo(round, player);
    let (_, truth) = &games.known[photo];
    let name =
        app.model.as_ref().map(|model| Place::of(*truth, model.locator.gazetteer()).to_string());
    let of = |name: &str, position: Option<LatLng>| {
        let km = position.map(|it| Rules::default().distance(it, *truth).km());
        json!({
            "player": name,
            "lat": position.map(LatLng::lat),
            "lng": position.map(LatLng::lng),
            "distance_km": km,
            "points": km.map_or(0.0, geoscore),
        })
    };
    let mut guesses: Vec<Value> = (0..game.players.len())
        .filter(|it| game.photo(round, *it) == photo)
        .filter_map(|it| Some(of(&game.players[it], Some(*game.guesses.get(&(round, it))?))))
        .collect();
    guesses.push(of(MODEL, game.answers.get(&photo).copied().flatten()));
    json!({
        "round": round,
        "truth": { "lat": truth.lat(), "lng": truth.lng(), "name": name },
        "guesses": guesses,
    })
}

/// The results that may be told: one for each round, or for each round and player.
fn results(app: &App, games: &Games, game: &Game) -> Vec<Value> {
    let mut results = Vec::new();
    for round in 0..game.rounds {
        let players = if game.shared { 0..1 } else { 0..game.players.len() };
        for player in players.filter(|player| game.is_open(round, *player)) {
            results.push(result(app, games, game, round, player));
        }
    }
    results
}

/// Medians, points and rounds won, of the rounds that are over.
#[utoipa::path(get, path = "/api/match/{id}/summary", params(("id" = String, Path,)),
    responses((status = 200, body = Object), (status = 404)))]
pub(crate) async fn summary(
    State(app): State<Arc<App>>,
    extract::Path(id): extract::Path<String>,
) -> Result<Json<Value>, ApiError> {
    let games = games(&app)?;
    let game = games.get(&id)?;
    let rules = Rules::default();
    let rounds: Vec<Round> = game
        .guesses
        .iter()
        .filter(|((round, player), _)| game.is_open(*round, *player))
        .map(|((round, player), guess)| {
            let photo = game.photo(*round, *player);
            let (name, truth) = &games.known[photo];
            let answer = game.answers.get(&photo).copied().flatten();
            Round::new(rules, name, &game.players[*player], *truth, answer, Some(*guess))
        })
        .collect();
    let all = Match::of(rules, rounds.clone());
    let mut players: Vec<Value> = Vec::new();
    for player in &game.players {
        let own = rounds.iter().filter(|round| round.player == *player).cloned().collect();
        let own = Match::of(rules, own);
        players.push(json!({
            "player": player,
            "median_km": own.people.median_km,
            "points": own.people.geoscore * own.rounds.len() as f64,
            "won": own.people_won,
        }));
    }
    players.push(json!({
        "player": MODEL,
        "median_km": all.model.median_km,
        "points": all.model.geoscore * all.rounds.len() as f64,
        "won": all.model_won,
    }));
    Ok(Json(json!({ "players": players, "rounds": results(&app, games, &game) })))
}

/// A player's answers as a CSV table (photo, lat, lng, author) for `planet score match --people`;
/// those of the rounds that are over.
#[utoipa::path(get, path = "/api/match/{id}/predictions",
    params(("id" = String, Path,), PlayerQuery),
    responses((status = 200, content_type = "text/csv"), (status = 404)))]
pub(crate) async fn predictions(
    State(app): State<Arc<App>>,
    extract::Path(id): extract::Path<String>,
    extract::Query(query): extract::Query<PlayerQuery>,
) -> Result<Response, ApiError> {
    let games = games(&app)?;
    let game = games.get(&id)?;
    let wanted = query.player.as_ref().map(|name| game.player(name)).transpose()?;
    let mut table = "photo,lat,lng,author\n".to_owned();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    for ((round, player), guess) in &game.guesses {
        if wanted.is_none_or(|wanted| wanted == *player) && game.is_open(*round, *player) {
            let photo = quoted(&games.known[game.photo(*round, *player)].0);
            let (lat, lng, author) = (guess.lat(), guess.lng(), quoted(&game.players[*player]));
            table.push_str(&format!("{photo},{lat},{lng},{author}\n"));
        }
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"match.csv\""),
    ];
    Ok((headers, table).into_response())
}

/// The model's answers as JSON Lines with the true positions, for `planet score match
/// --predictions`; once the match is over.
#[utoipa::path(get, path = "/api/match/{id}/answers", params(("id" = String, Path,)),
    responses((status = 200, content_type = "application/x-ndjson"), (status = 404),
        (status = 409, description = "the match is not over")))]
pub(crate) async fn answers(
    State(app): State<Arc<App>>,
    extract::Path(id): extract::Path<String>,
) -> Result<Response, ApiError> {
    let games = games(&app)?;
    let game = games.get(&id)?;
    if game.round() < game.rounds {
        let what = "the match is not over: the answers would tell where its photos were taken";
        return Err(ApiError::new(StatusCode::CONFLICT, what));
    }
    let mut photos: Vec<(usize, Option<LatLng>)> =
        game.answers.iter().map(|(photo, answer)| (*photo, *answer)).collect();
    photos.sort_by_key(|(photo, _)| *photo);
    let lines: String = photos.into_iter().map(|it| line(games, it)).collect();
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"planet.jsonl\""),
    ];
    Ok((headers, lines).into_response())
}

/// The model's answer for a photo, as a line.
fn line(games: &Games, (photo, answer): (usize, Option<LatLng>)) -> String {
    let (name, truth) = &games.known[photo];
    let prediction = match answer {
        Some(position) => Prediction {
            photo: name.clone(),
            candidates: vec![Candidate::at(position)],
            ..Prediction::default()
        },
        None => Prediction::failed(name, "the photo could not be located"),
    };
    format!("{}\n", Prediction { truth: Some(*truth), ..prediction }.to_json().trim_end())
}
