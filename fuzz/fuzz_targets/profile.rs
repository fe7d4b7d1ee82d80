//! Profile files: each profile comes to an answer, and what is wrong is told with a place inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qws_config::{Profiles, Settings};

fuzz_target!(|text: &str| {
    match text.parse::<Profiles>() {
        Ok(profiles) => {
            let names: Vec<String> = profiles.names().map(str::to_owned).collect();
            for name in names {
                let settings =
                    Settings::new().with_profiles(profiles.clone().assume_private()).with_profile(&name);
                let explanation = settings.explain();
                assert_eq!(settings.resolve().is_ok(), explanation.outcome().is_ok(), "{explanation}");
            }
        }
        Err(error) => {
            assert!(error.at().is_some_and(|at| text.is_char_boundary(at)), "{error}");
        }
    }
});
