//! Precedence without mixing.

use super::error::SettingsError;
use super::ignored::Ignored;
use super::source::Source;
use super::value::{Broken, Given, Layer, Rank, Value};
use crate::error::Part;

/// What is left when every source has had its say.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) taken: Vec<Taken>,
    pub(super) ignored: Vec<Ignored>,
    /// What stops the settings from being used; sources below it were not looked at.
    pub(super) problem: Option<SettingsError>,
}

#[derive(Debug)]
pub(super) struct Taken {
    pub(super) given: Given,
    /// What lower sources say about the same part.
    pub(super) overrode: Vec<Given>,
}

/// Merges the layers, which come highest rank first.
pub(super) fn merge(layers: &[Layer]) -> Merged {
    let mut merged = Merged::default();
    let anchor = anchor(layers);
    for layer in layers {
        if let Some((offender, reason)) = merged.misfit(layer, anchor) {
            merged.ignore(layer, &offender, reason);
            continue;
        }
        let conflict = layer.conflict().map(|error| Broken { source: layer.given[0].source.clone(), error });
        for broken in conflict.into_iter().chain(layer.broken.iter().cloned()) {
            if layer.rank != Rank::Surroundings {
                if layer.rank != Rank::SharedVariable && !merged.is_complete() {
                    merged.problem = Some(broken.error);
                    return merged;
                }
                merged.ignored.push(Ignored::unreadable(broken));
            }
        }
        for given in &layer.given {
            merged.take(given);
        }
    }
    let surroundings = layers.iter().filter(|layer| layer.rank == Rank::Surroundings);
    for broken in surroundings.flat_map(|layer| layer.broken.iter().cloned()) {
        merged.settle(broken);
    }
    merged
}

/// The source that fixes the workspace: the highest that names one and fits what deliberate sources above it say.
fn anchor(layers: &[Layer]) -> Option<&Layer> {
    let mut above: Vec<&Given> = Vec::new();
    for layer in layers.iter().filter(|layer| layer.rank != Rank::SharedVariable) {
        if layer.contradiction(&above).is_some() {
            continue;
        }
        if layer.names_a_workspace() {
            return Some(layer);
        }
        above.extend(&layer.given);
    }
    None
}

impl Merged {
    pub(super) fn get(&self, part: Part) -> Option<&Given> {
        self.taken.iter().map(|taken| &taken.given).find(|given| given.value.part() == part)
    }

    fn is_complete(&self) -> bool {
        use Part::{Endpoint, ResourceGroup, SubscriptionId, WorkspaceName};
        [SubscriptionId, ResourceGroup, WorkspaceName, Endpoint]
            .into_iter()
            .all(|part| self.get(part).is_some())
    }

    fn has_key(&self) -> bool {
        matches!(self.get(Part::ApiKey), Some(Given { value: Value::ApiKey(Some(_)), .. }))
    }

    /// The source because of which a layer is ignored as a whole, and why.
    fn misfit(&self, layer: &Layer, anchor: Option<&Layer>) -> Option<(Source, String)> {
        let taken = self.taken.iter().map(|taken| &taken.given);
        // A variable of another program must not displace the source that names the workspace, although it ranks above it.
        let fixed = anchor
            .filter(|_| layer.rank == Rank::SharedVariable)
            .into_iter()
            .flat_map(|anchor| &anchor.given);
        let (ours, theirs) = layer.contradiction(&taken.chain(fixed).collect::<Vec<_>>())?;
        let told = |given: &Given| format!("{} `{}`", given.value.part(), given.value.shown());
        let reason = format!("its {} does not fit {} of the {}", told(ours), told(theirs), theirs.source);
        Some((ours.source.clone(), reason))
    }

    /// Decides whether what could not be read is needed, now that all else is known.
    fn settle(&mut self, broken: Broken) {
        let (part, signs_in) = match &broken.error {
            SettingsError::Invalid { error, .. } => {
                (error.part(), !matches!(error.part(), Part::AppId | Part::CaFile))
            }
            _ => return,
        };
        // With an API key nobody signs in to anything.
        if self.get(part).is_some() || signs_in && self.has_key() {
            self.ignored.push(Ignored::unreadable(broken));
        } else if self.problem.is_none() {
            self.problem = Some(broken.error);
        }
    }

    fn take(&mut self, given: &Given) {
        let part = given.value.part();
        match self.taken.iter_mut().find(|taken| taken.given.value.part() == part) {
            Some(taken) => taken.overrode.push(given.clone()),
            None => self.taken.push(Taken { given: given.clone(), overrode: Vec::new() }),
        }
    }

    /// Notes every source of an ignored layer, once each.
    fn ignore(&mut self, layer: &Layer, offender: &Source, reason: String) {
        self.ignored.push(Ignored { source: offender.clone(), reason });
        let mut told = vec![offender];
        for source in layer
            .given
            .iter()
            .map(|given| &given.source)
            .chain(layer.broken.iter().map(|broken| &broken.source))
        {
            if !told.contains(&source) {
                told.push(source);
                let reason = format!("ignored together with the {offender}");
                self.ignored.push(Ignored { source: source.clone(), reason });
            }
        }
    }
}
