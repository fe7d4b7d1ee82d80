use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Map, Value, json};
use tokio::io::AsyncRead;

use crate::{
    BlobUri, Error, ErrorKind, ItemType, Job, JobId, NewJob, Operation, Preflight, Priority, Program, Target,
    Workspace,
    storage::{Existing, Source, Upload},
};

/// The name of the blob that holds a job's input.
const INPUT_BLOB: &str = "inputData";

/// A job about to be submitted. Its id is chosen when this value is made, so that it can be written down first.
///
/// Sending it again after an error is safe: the same id is the same job, run and paid once.
#[derive(Clone)]
#[must_use = "nothing is sent until `send` is called"]
pub struct Submission {
    workspace: Workspace,
    provider: String,
    target: String,
    /// The QIR profile that the target takes, as the service tells it.
    profile: Option<String>,
    program: Program,
    id: JobId,
    name: Option<String>,
    shots: Option<u64>,
    priority: Option<Priority>,
    tags: Option<Vec<String>>,
    session: Option<(String, Arc<AtomicBool>)>,
    progress: Arc<dyn Fn(u64) + Send + Sync>,
}

impl Submission {
    pub(crate) fn new(target: &Target, program: Program) -> Self {
        Self {
            workspace: target.workspace().clone(),
            provider: target.provider().to_owned(),
            target: target.id().to_owned(),
            profile: target.status().target_profile.clone(),
            program,
            id: JobId::random(),
            name: None,
            shots: None,
            priority: None,
            tags: None,
            session: None,
            progress: Arc::new(|_| ()),
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

    /// Puts the job into a session; from [`crate::Session::submit`].
    pub(crate) fn in_session(mut self, id: &str, over: Arc<AtomicBool>) -> Self {
        self.session = Some((id.to_owned(), over));
        self
    }

    /// Is told how many bytes of the program are in storage, as that number grows.
    pub fn on_progress(mut self, progress: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// Looks at what can be known before anything is sent or paid.
    pub fn preflight(&self) -> Preflight<'_> {
        Preflight::new(self)
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(crate) fn provider(&self) -> &str {
        &self.provider
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    pub(crate) fn shots_asked(&self) -> Option<u64> {
        self.shots
    }

    /// Sends it: a link to storage, the program, the job.
    ///
    /// # Errors
    /// Every error carries [`Error::job_id`]. [`ErrorKind::InvalidInput`] if the shots contradict the program's own
    /// parameters; [`ErrorKind::SessionClosed`] if the session has ended; kinds of [`crate::Jobs::create`] for the
    /// service's refusals; after [`Error::is_transient`] the job may exist: send the same submission again, or look with
    /// [`Workspace::job`].
    pub async fn send(&self) -> Result<Job, Error> {
        self.send_source(Source::Bytes(self.program.bytes().clone())).await
    }

    /// Sends it with the bytes of a reader in place of the program's own, 4 MiB at a time: for inputs that are too large
    /// for memory.
    ///
    /// # Errors
    /// As [`Submission::send`]; [`ErrorKind::InvalidInput`] if the reader fails. A reader can be read once, so sending it
    /// again needs another reader and, if the first got through, another id.
    pub async fn send_from(&self, mut reader: impl AsyncRead + Send + Unpin) -> Result<Job, Error> {
        self.send_source(Source::Reader(&mut reader)).await
    }

    /// Sends it with the content of a file in place of the program's own bytes, 4 MiB at a time.
    ///
    /// # Errors
    /// As [`Submission::send_from`].
    pub async fn send_file(&self, path: impl AsRef<Path>) -> Result<Job, Error> {
        let path = path.as_ref();
        let file = tokio::fs::File::open(path).await.map_err(|error| {
            Error::new(ErrorKind::InvalidInput, format!("cannot open {}", path.display()))
                .with_operation(Operation::Submit)
                .with_job(&self.id)
                .with_source(error)
        })?;
        self.send_from(file).await
    }

    /// Sends it with an input that is in storage already, where the workspace can read it. The program's own bytes are not
    /// sent.
    ///
    /// # Errors
    /// As [`Submission::send`].
    pub async fn send_from_uri(&self, input: &BlobUri) -> Result<Job, Error> {
        let sent = async {
            let parameters = self.checked()?;
            let container = self.container().await?;
            self.create(container, BlobUri::new(input.expose()), parameters).await
        };
        sent.await.map_err(|error| self.told(error))
    }

    async fn send_source(&self, mut source: Source<'_>) -> Result<Job, Error> {
        let sent = async {
            let parameters = self.checked()?;
            let container = self.container().await?;
            let blob = self.workspace.store().at(&container);
            let blob = blob.and_then(|container| container.in_container(INPUT_BLOB));
            let blob = blob.map_err(|error| error.with_operation(Operation::Submit))?;
            let upload = Upload {
                content_type: self.program.content_type(),
                encoding: self.program.encoding(),
                existing: Existing::Keep,
                progress: &*self.progress,
            };
            blob.upload(&mut source, &upload).await?;
            self.create(container, blob.public_uri(), parameters).await
        };
        sent.await.map_err(|error| self.told(error))
    }

    /// An error of the sending. A session that the service calls ended gets no further job from here.
    fn told(&self, error: Error) -> Error {
        if let (ErrorKind::SessionClosed, Some((_, over))) = (error.kind(), &self.session) {
            over.store(true, Ordering::Relaxed);
        }
        error.with_job(&self.id)
    }

    /// What can be seen to be wrong before anything is sent; the parameters of the run if nothing is.
    fn checked(&self) -> Result<Map<String, Value>, Error> {
        if self.session.as_ref().is_some_and(|(_, over)| over.load(Ordering::Relaxed)) {
            return Err(Error::new(ErrorKind::SessionClosed, "the session has ended")
                .with_operation(Operation::Submit)
                .with_hint("open a new session"));
        }
        if let Some(problem) = self.program.problem() {
            return Err(Error::new(ErrorKind::InvalidInput, problem).with_operation(Operation::Submit));
        }
        self.parameters()
    }

    async fn container(&self) -> Result<BlobUri, Error> {
        self.workspace.store().job_container(&format!("job-{}", self.id)).await
    }

    async fn create(
        &self,
        container: BlobUri,
        input: BlobUri,
        parameters: Map<String, Value>,
    ) -> Result<Job, Error> {
        let job = self.new_job(container, input, parameters);
        let details = self.workspace.client().jobs().create(&self.id, &job).await?;
        Ok(Job::new(self.workspace.clone(), details))
    }

    /// The parameters of the run with the shots put in. Two numbers of shots that differ are an error: which of them
    /// is meant, only the caller knows.
    fn parameters(&self) -> Result<Map<String, Value>, Error> {
        let mut parameters = self.program.parameters().clone();
        if let Some(profile) = self.profile.as_ref().filter(|_| self.program.input_format() == "qir.v1") {
            // As the service's own clients do; a value of the caller's stays.
            parameters.entry("target_profile").or_insert_with(|| json!(profile));
        }
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
            session_id: self.session.as_ref().map(|(id, _)| id.clone()),
            priority: self.priority.clone(),
            tags: self.tags.clone(),
            metadata: (!metadata.is_empty()).then(|| metadata.clone()),
            job_type: None,
            output_data_uri: None,
        }
    }
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("id", &self.id)
            .field("target", &self.target)
            .field("program", &self.program)
            .field("shots", &self.shots)
            .finish_non_exhaustive()
    }
}
