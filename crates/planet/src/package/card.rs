use std::fmt::Write as _;

use planet_geo::Partition;

use super::{HalfWeights, ModelDescription, ScoreKind};

/// The model card: YAML front matter as model hubs read it, then facts for people.
pub(super) fn write(description: &ModelDescription, partition: &Partition) -> String {
    let mut card = String::new();
    let mut put = |line: String| {
        card.push_str(&line);
        card.push('\n');
    };
    front_matter(description, &mut put);
    put(format!("# {}\n", one_line(&description.name)));
    put(format!(
        "Estimates where a photo was taken, as a probability for each of {} classes. Exported by \
         planet {}.\n",
        description.classes, description.provenance.version
    ));
    facts(description, partition, &mut put);
    scores(description, &mut put);
    quantization(description, &mut put);
    half_weights(description, &mut put);
    put("## Use\n".to_owned());
    put("    planet locate PHOTO --model THIS_FOLDER\n".to_owned());
    put("## Limits\n".to_owned());
    if let Some(warning) = description.provenance.warning() {
        let mut warning = warning.to_owned();
        warning[..1].make_ascii_uppercase();
        put(format!("**{warning}.**\n"));
    }
    put("The accuracy depends on the training photos: in places with few training photos it is low. \
         Publish an answer together with its probability. If the probability is below the minimum \
         that you require, use a coarser level or no answer. An estimate is not evidence of where \
         a person was."
        .to_owned());
    if !description.provenance.note.is_empty() {
        put(format!("\n## Source\n\n{}", description.provenance.note));
    }
    if let Some(config) = &description.provenance.config {
        put(format!("\n## Configuration\n\n```toml\n{}\n```", config.trim_end()));
    }
    card
}

fn front_matter(description: &ModelDescription, put: &mut impl FnMut(String)) {
    put("---".to_owned());
    put("library_name: planet".to_owned());
    put("pipeline_tag: image-classification".to_owned());
    put("tags: [image-geolocation, geotagging, onnx]".to_owned());
    put(format!("model_name: {}", serde_json::Value::from(one_line(&description.name))));
    put("---\n".to_owned());
}

fn facts(description: &ModelDescription, partition: &Partition, put: &mut impl FnMut(String)) {
    let [height, width] = description.preprocess.size;
    let count = |number: Option<u64>| number.map_or("unknown".to_owned(), |n| n.to_string());
    let kind = match description.outputs.kind {
        ScoreKind::Logits => "logits",
        ScoreKind::Probabilities => "probabilities",
    };
    let scheme = one_line(&partition.info().scheme);
    let rows = [
        ("architecture", one_line(&description.architecture)),
        ("input", format!("{height} × {width} pixels, RGB")),
        ("classes", format!("{} ({scheme})", description.classes)),
        ("partition fingerprint", description.partition_fingerprint.clone()),
        ("embedding", description.features.to_string()),
        ("scores", format!("{kind}, output `{}`", description.outputs.scores)),
        ("temperature", description.temperature.to_string()),
        ("training photos", count(description.provenance.training_photos)),
        ("validation photos", count(description.provenance.validation_photos)),
        ("seed", count(description.provenance.seed)),
    ];
    put("| | |\n|---|---|".to_owned());
    for (name, value) in rows {
        put(format!("| {name} | {} |", value.replace('|', "\\|")));
    }
    put(String::new());
}

fn scores(description: &ModelDescription, put: &mut impl FnMut(String)) {
    if description.provenance.scores.is_empty() {
        return;
    }
    let mut table = "## Scores on the validation photos\n\n| | |\n|---|---|\n".to_owned();
    for (name, value) in &description.provenance.scores {
        writeln!(table, "| {} | {value:.4} |", one_line(name).replace('|', "\\|"))
            .expect("a string takes whatever is written");
    }
    put(table);
}

fn quantization(description: &ModelDescription, put: &mut impl FnMut(String)) {
    let Some(it) = &description.quantization else { return };
    put("## Quantisation\n".to_owned());
    let kept: u64 = it.f32_operators.values().sum();
    put(format!(
        "The network computes in 8 bits ({}; ranges of activations: {}; {} calibration photos). {} \
         convolutions and dense layers have 8 bits, {kept} operators 32. Temperature and level \
         calibration are those of the network in 32 bits. Agreement with it on other photos:\n",
        one_line(&it.method),
        one_line(&it.range),
        it.calibration_photos,
        it.int8_layers
    ));
    agreement(it.agreement.facts(), put);
}

fn half_weights(description: &ModelDescription, put: &mut impl FnMut(String)) {
    let Some(it) = &description.half_weights else { return };
    put("## Weights in 16 bits\n".to_owned());
    put(half_text(it));
    match it.facts() {
        facts if facts.is_empty() => {}
        facts => {
            put("Temperature and level calibration are those of the network with all weights in 32 bits. \
                 Agreement with it on photos:\n"
                .to_owned());
            agreement(facts, put);
        }
    }
}

/// What weights in 16 bits are, and which arrays are not; ends with an empty line.
pub(super) fn half_text(it: &HalfWeights) -> String {
    let kept: Vec<String> = it.kept.iter().map(|name| format!("`{}`", one_line(name))).collect();
    let kept = match &kept[..] {
        [] => String::new(),
        kept => format!(
            " These large arrays keep 32 bits, because 16 bits do not represent their values: {}.",
            kept.join(", ")
        ),
    };
    format!(
        "{} arrays of weights are stored in 16 bits (float16). The network computes in 32 bits.{kept}\n",
        it.arrays
    )
}

fn agreement(facts: Vec<(String, String)>, put: &mut impl FnMut(String)) {
    put("| | |\n|---|---|".to_owned());
    for (name, value) in facts {
        put(format!("| {name} | {value} |"));
    }
    put(String::new());
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
