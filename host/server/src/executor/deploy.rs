//! Deployers: the release goes to the guest as blobs, and what it says of the place becomes the step's output.

use wasmlops_core::artifact::media_type;
use wasmlops_core::call::{Call, Value};
use wasmlops_core::run::Failure;

use super::Attempt;
use super::failure;

impl Attempt<'_> {
    pub(super) fn deploy(&mut self) -> Result<(), Failure> {
        let delivery = self.work.delivery.as_ref().ok_or_else(|| failure::missing_input("release"))?;
        let (release, previous) = (delivery.release.clone(), delivery.previous.clone());
        let answer = self.main(Call::Deploy { config: self.config(), release, previous })?;
        let Value::Deployment(deployment) = answer else { return Err(failure::odd_answer()) };
        self.made_json("deployment", media_type::DEPLOYMENT, &deployment)
    }
}
