//! What a run was begun with, held against what it is to go on with.

use planet_data::Settings;

use crate::TrainError;

/// Settings of where files lie and of what a machine can do; they change no result that is to be
/// compared. Which photos a run learns from is told by their number and the partition.
const PLACES: [&str; 13] = [
    "dataset",
    "validation",
    "root",
    "partition",
    "heads",
    "init",
    "model",
    "embeddings",
    "backend",
    "device",
    "precision",
    "loader_threads",
    "checkpoint_minutes",
];

/// Settings with which a run may be lengthened or shortened when it goes on.
const LENGTH: [&str; 3] = ["epochs", "minutes", "patience"];

/// What must be the same where a run goes on.
pub(crate) fn of_run(toml: &str) -> Settings {
    let mut settings = flat(toml);
    settings.retain(|name, _| !PLACES.contains(&name.as_str()) && !LENGTH.contains(&name.as_str()));
    settings
}

/// What must be the same on every rank, as one text.
pub(crate) fn of_ranks(toml: &str) -> String {
    let mut settings = flat(toml);
    let differs = |name: &str| {
        PLACES.contains(&name) && !["backend", "precision", "checkpoint_minutes"].contains(&name)
    };
    settings.retain(|name, _| !differs(name));
    settings.into_iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
}

/// What must be the same where a run is taken for one of these settings: all but what a machine
/// can do.
pub(crate) fn of_result(toml: &str) -> Settings {
    let mut settings = flat(toml);
    let machine = ["backend", "device", "precision", "loader_threads", "checkpoint_minutes"];
    settings.retain(|name, _| !machine.contains(&name.as_str()));
    settings
}

/// Refuses the first setting that differs; `path` is said in the error.
pub(crate) fn compare(
    path: &std::path::Path,
    then: &Settings,
    now: &Settings,
) -> Result<(), TrainError> {
    let Some(name) = then.keys().chain(now.keys()).find(|name| then.get(*name) != now.get(*name))
    else {
        return Ok(());
    };
    let value = |of: &Settings| of.get(name).cloned().unwrap_or_else(|| "nothing".to_owned());
    Err(TrainError::OtherSettings {
        path: path.to_owned(),
        name: name.clone(),
        then: value(then),
        now: value(now),
    })
}

/// A configuration's values by their dotted names.
fn flat(toml: &str) -> Settings {
    let mut settings = Settings::new();
    // What is no TOML has no settings, and so differs from all that is.
    insert(&mut settings, "", toml::from_str(toml).unwrap_or_default());
    settings
}

fn insert(settings: &mut Settings, above: &str, table: toml::Table) {
    for (name, value) in table {
        let name = format!("{above}{name}");
        match value {
            toml::Value::Table(table) => insert(settings, &format!("{name}."), table),
            value => {
                settings.insert(name, value.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{LearningRate, Schedule, TrainConfig};

    #[test]
    fn the_first_setting_that_differs_is_named_with_both_values() {
        let then = TrainConfig::default();
        let step = Schedule::Step { epochs: 2.0, factor: 0.5 };
        let rate = LearningRate { schedule: step, ..then.learning_rate };
        let cases = [
            (TrainConfig { batch: 16, ..then.clone() }, "batch 64, not 16"),
            (TrainConfig { learning_rate: rate, ..then.clone() }, "learning_rate.schedule"),
            (TrainConfig { size: 96, ..then.clone() }, "size 0, not 96"),
        ];
        for (now, text) in cases {
            let (then, now) = (of_run(&then.to_toml()), of_run(&now.to_toml()));
            let error = compare(Path::new("run"), &then, &now).expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        }
        let now = TrainConfig { epochs: 7, device: "cuda:0".into(), ..then.clone() };
        let (a, b) = (then.to_toml(), now.to_toml());
        compare(Path::new("run"), &of_run(&a), &of_run(&b)).expect("it may go on");
        compare(Path::new("run"), &of_result(&a), &of_result(&b)).expect_err("another result");
    }
}
