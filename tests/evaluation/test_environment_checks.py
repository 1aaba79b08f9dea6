from rl_pipeline.cli import run
from rl_pipeline.config.schema import Config
from rl_pipeline.evaluation.environment_checks import check_environment


def results(simulation, **environment):
    config = Config.model_validate({"environment": environment, "simulation": simulation.model_dump()})
    return {result.name: result.problem for result in check_environment(config)}


def test_embedded_player_passes_every_check(settings):
    found = results(settings("embedded"), id="Navigation-v0")
    assert set(found.values()) == {""}, found
    assert len(found) == 11


def test_player_with_faults_is_told_each_of_them(settings, build):
    faults = "s/random.Random(seed)/random.Random()/; s/clock + 0.1$/clock/"
    faulty = f'sed "{faults}" {{handmade}} > "$0.py"; exec {{python}} "$0.py" "$@"'
    found = results(settings(build(faulty)))
    assert "numbers differ after 20 steps" in found["same seed and actions give the same states"]
    assert "does not advance" in found["simulated time advances"]
    assert found["a frame comes when it is asked for, and only then"] == "no image"
    assert found["services have the types of the task"] == ""


def test_gymnasium_environment_is_checked_by_its_own_checkers(settings):
    assert results(settings("embedded"), id="CartPole-v1") == {
        "algorithms take its spaces": "",
        "an agent can be built (ppo)": "",
        "Gymnasium's checker": "",
        "Stable-Baselines3's checker": "",
    }


def test_verb_prints_each_check_and_fails_when_one_does(tmp_path, monkeypatch, capsys, build):
    monkeypatch.chdir(tmp_path)
    assert run(["check", "CartPole-v1"]) == 0
    assert "All checks passed." in capsys.readouterr().out
    assert run(["check", "Navigation-v0", f"unity.build_path={build()}"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_unknown_environment_is_one_clear_error(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["check", "Navigaton-v0"]) == 2
    assert "did you mean 'Navigation-v0'" in capsys.readouterr().err
