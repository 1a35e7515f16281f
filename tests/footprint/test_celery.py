from __future__ import annotations

from footprint.celery import app
from tests.house import Processes, Started, wait_until


def test_every_task_that_beat_sends_exists():
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled
    assert scheduled <= set(app.tasks)


def test_a_task_outlasts_no_message():
    assert app.conf.broker_transport_options["visibility_timeout"] > app.conf.task_time_limit


def test_what_changes_a_store_has_a_queue_of_its_own():
    app.loader.import_default_modules()
    bound = {name: app.amqp.router.route({}, name)["queue"].name for name in app.tasks}
    assert {name for name, queue in bound.items() if queue == "stores"} == {
        "hunts.tasks.import_upload",
        "hunts.tasks.remove_import",
        "hunts.tasks.tend_stores",
    }
    assert set(bound.values()) == {"celery", "stores"}
    # Queues of one exchange and key would each get the messages of both.
    assert len({(queue.exchange.name, queue.routing_key) for queue in app.amqp.queues.values()}) == 2


def test_no_state_is_kept_in_the_broker():
    assert app.conf.result_backend is None
    assert app.conf.task_ignore_result


def test_what_beat_sends_a_worker_does(worker: Started, fresh_database, processes: Processes, tmp_path):
    processes.start(
        *("-m", "celery", "-A", "footprint", "beat", "--schedule", str(tmp_path / "beat"), "--pidfile", ""),
        environment={**fresh_database.environment, "FOOTPRINT_SWEEP_SECONDS": "0.5"},
    )
    wait_until(lambda: "requeue_stale" in worker.said() and "expire_decisions" in worker.said())
    wait_until(lambda: worker.said().count("task_succeeded") >= 2)
    assert "task_failed" not in worker.said()
