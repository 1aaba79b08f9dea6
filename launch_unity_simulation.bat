@echo off
rem Start the players of config.yml on this Windows machine, for a trainer that runs in a container or elsewhere and
rem waits for them (unity.launch: false). Ctrl-C ends them all. Needs Python 3.9 or newer, but no installation of the project.
rem Usage: launch_unity_simulation.bat [OVERRIDES], such as: launch_unity_simulation.bat n_environments=8
setlocal
cd /d "%~dp0"
set "VENV=.venv-players-windows"
set "PLAYERS_PYTHON=%VENV%\Scripts\python.exe"

"%PLAYERS_PYTHON%" -c "import yaml" >nul 2>nul
if %errorlevel% == 0 goto launch
set "FOUND="
call :find py -3
call :find python
call :find python3
if not defined FOUND (
  echo error: no Python 3.9 or newer was found; install it from python.org and tick "Add python.exe to PATH" 1>&2
  exit /b 2
)
echo Making %VENV% with PyYAML (once)
%FOUND% -m venv --clear "%VENV%"
if not %errorlevel% == 0 exit /b 2
"%PLAYERS_PYTHON%" -m pip install --quiet --disable-pip-version-check pyyaml
if %errorlevel% == 0 goto launch
echo error: pip could not install PyYAML 1>&2
exit /b 2

:launch
"%PLAYERS_PYTHON%" -m rl_pipeline.simulation.standalone.launcher %*
exit /b %errorlevel%

:find
if defined FOUND goto :eof
%* -c "import sys; sys.exit(sys.version_info < (3, 9))" >nul 2>nul
if %errorlevel% == 0 set "FOUND=%*"
goto :eof
