use std::fmt::Write as _;

use planet_geo::Partition;

use super::{ModelDescription, ScoreKind};

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
        "Says where on earth a photo was taken, as a probability for each of {} classes. Made by \
         planet {}.\n",
        description.classes, description.provenance.version
    ));
    facts(description, partition, &mut put);
    scores(description, &mut put);
    put("## Use\n".to_owned());
    put("    planet locate PHOTO --model THIS_FOLDER\n".to_owned());
    put("## Limits\n".to_owned());
    put("Answers follow the places and habits of the photographers whose photos it learned from: \
         where they took few photos it knows little. Its probabilities say how sure it is; below \
         the share that you ask for, take the coarser level or no answer. A guess is not evidence \
         of where somebody was."
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

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
