use super::*;

#[test]
fn only_absolute_folders_of_path_are_searched_and_only_what_can_run_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, good) = (folder.path().join("plain"), folder.path().join("good"));
    for folder in [&plain, &good] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("az"), "#!/bin/sh\n").unwrap();
    }
    std::fs::create_dir(folder.path().join("az")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(good.join("az"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = |folders: &[&Path]| std::env::join_paths(folders).unwrap().into_string().unwrap();
        let relative = Path::new("relative");
        let all = path(&[Path::new(""), relative, Path::new("."), folder.path(), &plain, &good]);
        assert_eq!(find("az", &all), Some(good.join("az")));
        assert_eq!(find("az", &path(&[folder.path(), &plain])), None);
        assert_eq!(find("az", ""), None);
    }
}
