@echo off
rem Start the players of config.yml on this Windows machine, for a trainer that runs in a container or elsewhere and
rem waits for them (unity.launch: false). Ctrl-C ends them all. Needs Python 3.9 or newer, and nothing else installed.
rem Usage: launch_unity_simulation.bat [OVERRIDES], such as: launch_unity_simulation.bat n_environments=8
setlocal
cd /d "%~dp0"
set "VENV=.venv-players-windows"
set "PLAYERS_PYTHON=%VENV%\Scripts\python.exe"

"%PLAYERS_PYTHON%" -c "import yaml" >nul 2>nul
if errorlevel 1 call :make_environment
if errorlevel 1 exit /b 2
"%PLAYERS_PYTHON%" -m rl_pipeline.simulation.launcher %*
exit /b %errorlevel%

:make_environment
set "FOUND="
for %%P in ("py -3" "python" "python3") do if not defined FOUND (
  %%~P -c "import sys; sys.exit(sys.version_info < (3, 9))" >nul 2>nul && set "FOUND=%%~P"
)
if not defined FOUND (
  echo error: no Python 3.9 or newer was found; install it from python.org and tick "Add python.exe to PATH" 1>&2
  exit /b 2
)
echo Making %VENV% with PyYAML (once)
%FOUND% -m venv --clear "%VENV%"
if errorlevel 1 exit /b 2
"%PLAYERS_PYTHON%" -m pip install --quiet --disable-pip-version-check pyyaml
if errorlevel 1 (
  echo error: pip could not install PyYAML 1>&2
  exit /b 2
)
exit /b 0
