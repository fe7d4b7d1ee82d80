use crate::{
    BlobUri, Error, ErrorKind, ItemType, Job, JobId, NewJob, Operation, Priority, Program, Workspace,
    blob::Blob,
};
use serde_json::{Map, Value, json};

/// The name of the blob that holds a job's input.
const INPUT_BLOB: &str = "inputData";

/// A job about to be submitted. Its id is chosen when this value is made, so that it can be written down first.
///
/// Sending it again after an error is safe: the same id is the same job, run and paid once.
#[derive(Debug, Clone)]
#[must_use = "nothing is sent until `send` is called"]
pub struct Submission {
    workspace: Workspace,
    provider: String,
    target: String,
    program: Program,
    id: JobId,
    name: Option<String>,
    shots: Option<u64>,
    priority: Option<Priority>,
    tags: Option<Vec<String>>,
}

impl Submission {
    pub(crate) fn new(workspace: Workspace, provider: String, target: String, program: Program) -> Self {
        Self {
            workspace,
            provider,
            target,
            program,
            id: JobId::random(),
            name: None,
            shots: None,
            priority: None,
            tags: None,
        }
    }

    /// The id that the job will have.
    #[must_use]
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Takes this id in place of a random one, for example that of a submission whose answer was lost.
    pub fn with_id(mut self, id: JobId) -> Self {
        self.id = id;
        self
    }

    /// How often the program is run. Without it the target's own default holds.
    pub fn shots(mut self, shots: u64) -> Self {
        self.shots = Some(shots);
        self
    }

    /// A name for people. Default: `azure-quantum-job`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How soon it is wanted.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Tags to find it by.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = Some(tags.into_iter().map(Into::into).collect());
        self
    }

    /// Sends it: a link to storage, the program, the job.
    ///
    /// # Errors
    /// Every error carries [`Error::job_id`]. [`ErrorKind::InvalidInput`] if the shots contradict the program's own
    /// parameters; kinds of [`crate::Jobs::create`] for the service's refusals; after [`Error::is_transient`] the job
    /// may exist: send the same submission again, or look with [`Workspace::job`].
    pub async fn send(&self) -> Result<Job, Error> {
        self.try_send().await.map_err(|error| error.with_job(&self.id))
    }

    async fn try_send(&self) -> Result<Job, Error> {
        let parameters = self.parameters()?;
        let client = self.workspace.client();
        let container = client.storage().sas_uri(&format!("job-{}", self.id), None).await?;
        let local = client.address().endpoint().is_loopback();
        let blob = Blob::at(client.pipeline().http(), &container, local, client.pipeline().deadline())
            .and_then(|container| container.in_container(INPUT_BLOB))
            .map_err(|error| error.with_operation(Operation::Submit))?;
        blob.upload(self.program.bytes().clone(), self.program.content_type()).await?;
        let job = self.new_job(container, blob.public_uri(), parameters);
        let details = client.jobs().create(&self.id, &job).await?;
        Ok(Job::new(self.workspace.clone(), details))
    }

    /// The parameters of the run with the shots put in. Two numbers of shots that differ are an error: which of them
    /// is meant, only the caller knows.
    fn parameters(&self) -> Result<Map<String, Value>, Error> {
        let mut parameters = self.program.parameters().clone();
        if let Some(shots) = self.shots {
            let other = ["shots", "count"].into_iter().find_map(|name| {
                parameters
                    .get(name)
                    .filter(|given| given.as_u64() != Some(shots))
                    .map(|given| (name, given.clone()))
            });
            if let Some((name, given)) = other {
                let text = format!("`shots({shots})` contradicts the program's parameter `{name}` = {given}");
                return Err(Error::new(ErrorKind::InvalidInput, text).with_operation(Operation::Submit));
            }
            if shots == 0 {
                return Err(Error::new(ErrorKind::InvalidInput, "0 shots give no result; 1 is the least")
                    .with_operation(Operation::Submit));
            }
            parameters.insert("shots".into(), json!(shots));
        }
        Ok(parameters)
    }

    fn new_job(
        &self,
        container_uri: BlobUri,
        input_data_uri: BlobUri,
        input_params: Map<String, Value>,
    ) -> NewJob {
        let metadata = self.program.metadata();
        NewJob {
            name: self.name.clone().unwrap_or_else(|| "azure-quantum-job".into()),
            container_uri,
            input_data_uri,
            input_data_format: self.program.input_format().to_owned(),
            output_data_format: self.program.output_format().to_owned(),
            provider_id: self.provider.clone(),
            target: self.target.clone(),
            input_params,
            item_type: ItemType::Job,
            session_id: None,
            priority: self.priority.clone(),
            tags: self.tags.clone(),
            metadata: (!metadata.is_empty()).then(|| metadata.clone()),
        }
    }
}
