//! How plans are sent.

use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::{
    error::{DataFusionError, Result},
    execution::TaskContext,
    physical_plan::ExecutionPlan,
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use super::exec::{CollectExec, CollectJob};
use crate::{Tenants, tenants::SharedTenants};

/// The beginning of an encoded plan. No message of Ballista begins with it.
const PREFIX: &[u8] = b"headcount-datafusion:";

/// Returns the codec for the plans of this crate and those of Ballista.
///
/// Executors need `tenants` to list accounts. A scheduler needs none.
pub fn physical_codec(tenants: Option<Arc<dyn Tenants>>) -> Arc<dyn PhysicalExtensionCodec> {
    Arc::new(Codec {
        tenants: tenants.map(SharedTenants),
        ballista: BallistaPhysicalExtensionCodec::default(),
    })
}

#[derive(Debug)]
struct Codec {
    tenants: Option<SharedTenants>,
    ballista: BallistaPhysicalExtensionCodec,
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        proto_converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match buf.strip_prefix(PREFIX) {
            Some(json) => {
                let job = CollectJob::from_json(json)?;
                let [input] = inputs else {
                    return Err(DataFusionError::Plan(format!(
                        "the plan has {} inputs; expected 1",
                        inputs.len()
                    )));
                };
                Ok(Arc::new(CollectExec::new(Arc::new(job), self.tenants.clone(), input.clone())))
            }
            None => self.ballista.try_decode(buf, inputs, ctx, proto_converter),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        proto_converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(collect) = node.downcast_ref::<CollectExec>() else {
            return self.ballista.try_encode(node, buf, proto_converter);
        };
        buf.extend_from_slice(PREFIX);
        serde_json::to_writer(buf, collect.job()).map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::physical_plan::displayable;
    use datafusion_proto::physical_plan::DefaultPhysicalProtoConverter;
    use headcount::{Provider, Source};

    use super::*;
    use crate::{SnapshotPlan, ballista::exec::sources_input, snapshot::Run};

    fn input() -> Arc<dyn ExecutionPlan> {
        let sources =
            [Source::new("acme", "hr", Provider::SailPoint), Source::new("acme", "cloud", Provider::Huawei)];
        sources_input(&sources.map(Result::unwrap)).unwrap()
    }

    fn encoded() -> Vec<u8> {
        let plan = SnapshotPlan::new("r", [Source::new("acme", "hr", Provider::SailPoint).unwrap()]).unwrap();
        let job = CollectJob::new(Run::of(&plan).unwrap(), "s3://bucket/snapshots/".into(), 3);
        let mut buf = Vec::new();
        let node = Arc::new(CollectExec::new(Arc::new(job), None, input()));
        physical_codec(None).try_encode(node, &mut buf, &DefaultPhysicalProtoConverter {}).unwrap();
        buf
    }

    fn decode(buf: &[u8]) -> Result<Arc<dyn ExecutionPlan>> {
        let ctx = TaskContext::default();
        physical_codec(None).try_decode(buf, &[input()], &ctx, &DefaultPhysicalProtoConverter {})
    }

    #[test]
    fn a_plan_survives_the_way_to_an_executor() {
        let plan = decode(&encoded()).unwrap();
        assert_eq!(plan.properties().partitioning.partition_count(), 2);
        let text = displayable(&*plan).one_line().to_string();
        assert_eq!(text.trim(), "CollectExec: run=r, store=s3://bucket/snapshots/");
        // Without a tenants file, it can be planned and not executed.
        let error = plan.execute(0, Arc::default()).err().unwrap().to_string();
        assert!(error.contains("this process has no tenants"), "{error}");
    }

    #[test]
    fn a_plan_of_another_version_is_refused() {
        let text = String::from_utf8(encoded()).unwrap();
        let newer = text.replacen("\"format\":1", "\"format\":2", 1);
        let error = decode(newer.as_bytes()).unwrap_err().to_string();
        assert!(
            error.contains("the plan has format 2; this version of headcount-datafusion reads format 1"),
            "{error}"
        );
        let error = decode(&text.as_bytes()[..60]).unwrap_err().to_string();
        assert!(error.contains("the plan is malformed"), "{error}");
        assert!(decode(b"something else").is_err());
    }
}
