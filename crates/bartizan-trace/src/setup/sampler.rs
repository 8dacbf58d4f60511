//! `OTEL_TRACES_SAMPLER` and its argument.

use opentelemetry_sdk::trace::Sampler;

use super::error::{SetupError, shown};
use super::vars::Vars;

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Asks the parent, and samples every trace that starts here: the specification's default.
pub(super) fn default() -> Sampler {
    parent_based(Sampler::AlwaysOn)
}

pub(super) fn read<F: Fn(&str) -> Option<String>>(vars: &Vars<F>) -> Result<Option<Sampler>, SetupError> {
    let Some(name) = vars.text(SAMPLER) else { return Ok(None) };
    let ratio = || {
        let ratio = vars.number(ARGUMENT, "a number from 0 to 1", |ratio| (0.0..=1.0).contains(ratio))?;
        Ok(Sampler::TraceIdRatioBased(ratio.unwrap_or(1.0)))
    };
    Ok(Some(match name.to_ascii_lowercase().as_str() {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => ratio()?,
        "parentbased_always_on" => parent_based(Sampler::AlwaysOn),
        "parentbased_always_off" => parent_based(Sampler::AlwaysOff),
        "parentbased_traceidratio" => parent_based(ratio()?),
        // The specification's other names (jaeger_remote, xray) are not samplers we have.
        _ => {
            return Err(SetupError::invalid(
                SAMPLER,
                shown(&name),
                "one of always_on, always_off, traceidratio, parentbased_always_on, \
                 parentbased_always_off, parentbased_traceidratio",
                "parentbased_traceidratio with OTEL_TRACES_SAMPLER_ARG=0.1 keeps one trace in ten",
            ));
        }
    }))
}

fn parent_based(root: Sampler) -> Sampler {
    Sampler::ParentBased(Box::new(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(name: &str, argument: &str) -> Result<String, String> {
        let vars = Vars(|wanted: &str| match wanted {
            SAMPLER => Some(name.to_owned()),
            ARGUMENT => Some(argument.to_owned()),
            _ => None,
        });
        read(&vars).map(|sampler| format!("{:?}", sampler.unwrap())).map_err(|error| error.to_string())
    }

    #[test]
    fn every_standard_name_gives_its_sampler() {
        for (name, expected) in [
            ("always_on", "AlwaysOn"),
            ("always_off", "AlwaysOff"),
            ("traceidratio", "TraceIdRatioBased(0.25)"),
            ("parentbased_always_on", "ParentBased(AlwaysOn)"),
            ("parentbased_always_off", "ParentBased(AlwaysOff)"),
            ("parentbased_traceidratio", "ParentBased(TraceIdRatioBased(0.25))"),
            ("Always_On", "AlwaysOn"),
        ] {
            assert_eq!(sampler(name, "0.25").unwrap(), expected);
        }
    }

    #[test]
    fn a_missing_ratio_samples_everything() {
        assert_eq!(sampler("traceidratio", "").unwrap(), "TraceIdRatioBased(1.0)");
    }

    #[test]
    fn a_ratio_outside_zero_to_one_is_an_error_that_names_the_argument() {
        for bad in ["1.5", "-0.1", "NaN", "inf", "ten"] {
            assert!(
                sampler("traceidratio", bad).unwrap_err().starts_with("OTEL_TRACES_SAMPLER_ARG is "),
                "{bad}"
            );
        }
    }

    #[test]
    fn samplers_that_do_not_exist_here_are_errors() {
        for bad in ["jaeger_remote", "parentbased_jaeger_remote", "xray"] {
            assert!(sampler(bad, "").unwrap_err().starts_with("OTEL_TRACES_SAMPLER is "), "{bad}");
        }
    }
}
